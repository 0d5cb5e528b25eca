"""The built and installed package is complete, and the desktop files agree with each other."""

import configparser
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

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
    assert re.search(r"^License-Expression: MIT$", metadata, re.MULTILINE)


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
