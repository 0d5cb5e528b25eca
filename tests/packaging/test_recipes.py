"""The recipes for other systems name existing files and no addresses, and their linters accept them."""

import hashlib
import plistlib
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from recipes.macos.cask import cask
from recipes.make_icon import draw, windows_icon
from recipes.windows.winget import manifests
from usage_viewer import __version__

ADDRESS = "https://files.example/usage-viewer-1.2.3"


@pytest.fixture(scope="session")
def recipes(root: Path) -> Path:
    """The directory of the recipes."""
    return root / "packaging" / "recipes"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The file of a release."""
    path = tmp_path / "release"
    path.write_bytes(b"of a release")
    return path


def run(*command: str | Path) -> None:
    """Run a linter, and fail with its output; skip the test where it is not installed."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"needs {command[0]}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_recipe_names_an_address(root: Path, recipes: Path) -> None:
    """The workflows and recipes use the repository and the package index of the machine that they run on."""
    files = [path for path in recipes.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files += (root / ".github" / "workflows").glob("*.yml")
    assert len(files) > 10
    for path in files:
        addresses = re.findall(r"https?://[\w.-]+", path.read_text(encoding="utf-8"))
        assert set(addresses) <= {"http://www.apple.com"}, path  # of the document type of property lists


def test_page_states_each_recipe_and_what_was_not_built(recipes: Path) -> None:
    text = (recipes / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    named = {re.match(r"\| `([\w./]+)`", row)[1].partition("/")[0] for row in rows}  # type: ignore[index]
    tools = {"README.md", "make_icon.py", "write_licences.py", "__pycache__"}
    assert named == {path.name for path in recipes.iterdir()} - tools
    assert all(re.search(r"\*\*not (built|submitted)\*\*", row) for row in rows)


def test_flatpak_has_existing_files_and_the_keyring(recipes: Path) -> None:
    manifest = recipes / "flatpak" / "io.github.usage_viewer.UsageViewer.yml"
    text = manifest.read_text(encoding="utf-8")
    folder, *paths = re.findall(r"^ +path: (.+)$", text, re.MULTILINE)
    assert folder == f"../../../build/packages/usage-viewer-{__version__}-linux-x86_64"
    assert len(paths) == 3
    assert all((manifest.parent / path).is_file() for path in paths)
    assert "  - --talk-name=org.freedesktop.secrets\n" in text
    assert not re.search(r"--filesystem|--socket=session-bus|--device=all", text), "the portal gives files"
    run("flatpak-builder", "--show-manifest", manifest)


@pytest.mark.parametrize("script", ["appimage/build.sh", "macos/build.sh"])
def test_shell_scripts_pass_their_linter(recipes: Path, script: str) -> None:
    run("bash", "-n", recipes / script)
    run("shellcheck", recipes / script)


def test_installer_for_windows_is_made_of_a_sample_folder(root: Path, recipes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "_internal").mkdir(parents=True)
    for name in ("usage-viewer.exe", "usage-viewer-window.exe", "_internal/library.dll"):
        (folder / name).write_bytes(b"x")
    target = tmp_path / "usage-viewer-setup.exe"
    values = {"VERSION": __version__, "FOLDER": folder, "LICENCE": root / "LICENSE", "TARGET": target}
    options = [f"-D{name}={value}" for name, value in values.items()]
    run("makensis", "-V2", "-WX", *options, recipes / "windows" / "installer.nsi")
    assert target.read_bytes().startswith(b"MZ")


def test_winget_manifests_name_the_release(release: Path) -> None:
    texts = manifests("1.2.3", ADDRESS, release)
    assert len(texts) == 3
    for name, text in texts.items():
        assert name.startswith("UsageViewer.UsageViewer.")
        assert text.startswith("PackageIdentifier: UsageViewer.UsageViewer\nPackageVersion: 1.2.3\n")
    installer = texts["UsageViewer.UsageViewer.installer.yaml"]
    assert f"  InstallerUrl: {ADDRESS}\n" in installer
    assert f"  InstallerSha256: {hashlib.sha256(b'of a release').hexdigest().upper()}\n" in installer
    with pytest.raises(ValueError, match="https"):
        manifests("1.2.3", "http://files.example/x", release)


def test_cask_names_the_release_and_is_ruby(release: Path, tmp_path: Path) -> None:
    text = cask("1.2.3", ADDRESS, release, "https://project.example/")
    assert f'url "{ADDRESS}"' in text
    assert hashlib.sha256(b"of a release").hexdigest() in text
    with pytest.raises(ValueError, match="https"):
        cask("1.2.3", ADDRESS, release, "https://project.example/#{system}")
    path = tmp_path / "cask.rb"
    path.write_text(text, encoding="utf-8")
    run("ruby", "-wc", path)


def test_entitlements_are_a_property_list(recipes: Path) -> None:
    entitlements = plistlib.loads((recipes / "macos" / "entitlements.plist").read_bytes())
    assert all(value is True for value in entitlements.values())
    assert "com.apple.security.cs.disable-library-validation" in entitlements, "Qt can be replaced"


def test_icon_for_windows_has_pictures_of_each_size(qapp: object) -> None:
    pictures = [(size, draw(size)) for size in (16, 256)]
    icon = windows_icon(pictures)
    assert struct.unpack_from("<HHH", icon) == (0, 1, 2)
    for number, (size, picture) in enumerate(pictures):
        width, height, *_, length, offset = struct.unpack_from("<BBBBHHII", icon, 6 + 16 * number)
        assert (width, height) == (size % 256, size % 256)
        assert icon[offset : offset + length] == picture
        assert struct.unpack_from(">II", picture, 16) == (size, size)  # the header of a PNG


def test_workflows_name_actions_by_their_digest(root: Path) -> None:
    for path in (root / ".github" / "workflows").glob("*.yml"):
        actions = re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))
        assert actions
        assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action) for action in actions)


def test_workflow_builds_no_package_for_each_change(root: Path) -> None:
    text = (root / ".github" / "workflows" / "packages.yml").read_text(encoding="utf-8")
    assert not re.search(r"^ +(pull_request|branches)", text, re.MULTILINE)
    assert "make package" not in (root / ".ci" / "run").read_text(encoding="utf-8")
