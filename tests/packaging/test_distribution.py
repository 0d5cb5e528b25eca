"""The built and installed package is complete, and the desktop files agree with each other."""

import configparser
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from index_page import project_urls, with_full_addresses

APP_ID = "io.github.usage_viewer.UsageViewer"


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the installed back end without the network."""
    pytest.importorskip("hatchling", reason="the build back end is in the development lock")
    directory = tmp_path_factory.mktemp("wheel")
    code = f"import hatchling.build; print(hatchling.build.build_wheel({str(directory)!r}))"
    built = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return directory / built.stdout.split()[-1]


def test_wheel_has_resources_and_type_marker(root: Path, wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    resources = [path for path in (root / "resources").rglob("*") if path.is_file()]
    assert resources
    assert {
        f"usage_viewer/resources/{path.relative_to(root / 'resources').as_posix()}" for path in resources
    } <= names
    assert "usage_viewer/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"usage_viewer"}


def test_wheel_brings_what_a_desktop_reads(root: Path, wheel: Path) -> None:
    sources = {
        f"share/applications/{APP_ID}.desktop": f"packaging/{APP_ID}.desktop",
        f"share/metainfo/{APP_ID}.metainfo.xml": f"packaging/{APP_ID}.metainfo.xml",
        f"share/icons/hicolor/scalable/apps/{APP_ID}.svg": "resources/icons/usage-viewer.svg",
    }
    with zipfile.ZipFile(wheel) as archive:
        (data,) = {name.split("/")[0] for name in archive.namelist() if ".data/" in name}
        shared = {name.partition("/data/")[2]: name for name in archive.namelist() if name.startswith(f"{data}/")}
        assert set(shared) == set(sources)
        for place, source in sources.items():
            assert archive.read(shared[place]) == (root / source).read_bytes()


def test_wheel_has_every_module(root: Path, wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {path.relative_to(root).as_posix() for path in (root / "usage_viewer").rglob("*.py")}
    assert modules <= names


def test_wheel_declares_command_and_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (info,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        points = configparser.ConfigParser()
        points.read_string(archive.read(f"{info}/entry_points.txt").decode())
        metadata = archive.read(f"{info}/METADATA").decode()
        assert f"{info}/licenses/LICENSE" in archive.namelist()
    assert points["console_scripts"]["usage-viewer"] == "usage_viewer.__main__:main"
    assert points["gui_scripts"]["usage-viewer-window"] == "usage_viewer.__main__:main"
    assert not re.search(r"^Project-URL:", metadata, re.MULTILINE), "a checkout has no address"
    assert "](packaging/pictures/window-light.png)" in metadata
    assert re.search(r"^License-Expression: MIT$", metadata, re.MULTILINE)


def test_release_names_its_repository_and_full_addresses_of_pictures(root: Path) -> None:
    address = "https://git.example/somebody/viewer"
    code = (
        "from pathlib import Path; from hatchling.metadata.core import ProjectMetadata; "
        "from hatchling.plugin.manager import PluginManager; "
        "print(ProjectMetadata('.', PluginManager()).core.readme); "
    )
    code += "print(ProjectMetadata('.', PluginManager()).core.urls)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "USAGE_VIEWER_REPOSITORY": address},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"]({address}/raw/main/packaging/pictures/window-light.png)" in done.stdout
    assert f"]({address}/blob/main/usage_viewer/cli/README.md)" in done.stdout
    assert re.findall(r"\]\((?!https://)[^)]*\)", done.stdout) == []
    assert f"'Source': '{address}'" in done.stdout


@pytest.mark.parametrize("address", ["http://git.example/a/b", "git.example/a", "https://git.example", "x"])
def test_wrong_address_of_the_repository_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not the address of a repository"):
        project_urls(address)


def test_links_elsewhere_and_within_a_page_are_kept() -> None:
    text = "[a](https://b.example/c) [d](#e) ![f](g.png)"
    expected = "[a](https://b.example/c) [d](#e) ![f](https://i.example/j/raw/main/g.png)"
    assert with_full_addresses(text, "https://i.example/j") == expected


def test_installed_wheel_finds_its_resources(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = "from usage_viewer.resources import asset; print(asset('icons/usage-viewer.svg'))"
    # -I excludes the checkout and PYTHONPATH; the extracted wheel comes first.
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"
    found = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    expected = tmp_path / "usage_viewer" / "resources" / "icons" / "usage-viewer.svg"
    assert Path(found.stdout.strip()) == expected.resolve()


def test_desktop_entry_has_the_command_and_the_id(root: Path) -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(root / "packaging" / f"{APP_ID}.desktop", encoding="utf-8")
    assert entry["Desktop Entry"]["Exec"].split()[0] == "usage-viewer"
    assert entry["Desktop Entry"]["Icon"] == APP_ID


def test_metainfo_has_the_same_id_and_version(root: Path) -> None:
    component = ElementTree.parse(root / "packaging" / f"{APP_ID}.metainfo.xml").getroot()
    assert component.findtext("id") == APP_ID
    assert component.findtext("launchable") == f"{APP_ID}.desktop"
    assert component.findtext("project_license") == "MIT"
    version = re.search(
        r'__version__ = "(.+)"', (root / "usage_viewer" / "__init__.py").read_text(encoding="utf-8")
    )
    release = component.find("releases/release")
    assert version is not None
    assert release is not None
    assert release.get("version") == version[1]
