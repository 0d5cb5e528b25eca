"""The package for Linux has the right files, parts, licences and dependencies; nothing is built here."""

import json
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from build_package import BuildFailed, describe, normalize, write_sums
from linux_package import contents, deb, elf, licences, sbom
from linux_package.contents import Entry
from linux_package.parts import PROGRAM, Installed, Part, UnknownFile, requirement_names
from system_packages import Need

PACKAGES = Path(sysconfig.get_path("purelib"))


def _entry(place: str, source: str = "", kind: str = "BINARY") -> Entry:
    return place, source or str(PACKAGES / place), kind


@pytest.fixture(scope="module")
def parts() -> dict[str, Part]:
    """The parts of a program that has a few of this environment's packages."""
    keys = [PROGRAM, "python", "qt", "icu", "pyside6-essentials", "shiboken6", "httpx", "idna", "numpy", "openblas"]
    return Installed(PACKAGES).describe(keys)


class TestContents:
    def test_only_listed_plugins_are_kept(self) -> None:
        plugins = "PySide6/Qt/plugins/platform"
        found = [_entry(f"{plugins}s/libqxcb.so"), _entry(f"{plugins}themes/libqgtk3.so")]
        assert contents.keep_binaries(found, PACKAGES, lambda source: []) == found[:1]

    def test_libraries_of_qt_are_kept_if_a_kept_file_needs_them(self) -> None:
        module, core, icu, other = (
            _entry(f"PySide6/{name}")
            for name in ("QtCore.so", "Qt/lib/libQt6Core.so.6", "Qt/lib/libicuuc.so.73", "Qt/lib/libQt6Qml.so.6")
        )
        needs = {module[1]: ["libQt6Core.so.6", "libc.so.6"], core[1]: ["libicuuc.so.73"]}
        kept = contents.keep_binaries([module, core, icu, other], PACKAGES, lambda source: needs.get(source, []))
        assert set(kept) == {module, core, icu}

    def test_libraries_of_the_system_are_left_out(self) -> None:
        ours = _entry("libpython3.11.so.1.0", "/usr/lib/libpython3.11.so.1.0")
        extension = _entry("python3.11/lib-dynload/math.so", "/usr/lib/python3.11/lib-dynload/math.so")
        system = _entry("libX11.so.6", "/usr/lib/libX11.so.6")
        kept = contents.keep_binaries([ours, extension, system], PACKAGES, lambda source: ["libX11.so.6"])
        assert set(kept) == {ours, extension}

    def test_metadata_translations_and_links_are_left_out(self) -> None:
        kept = _entry("certifi/cacert.pem", kind="DATA")
        found = [
            kept,
            _entry("keyring-25.7.0.dist-info/RECORD", kind="DATA"),
            _entry("PySide6/Qt/translations/qtbase_de.qm", kind="DATA"),
            _entry("libQt6Core.so.6", kind="SYMLINK"),
        ]
        assert contents.keep_data(found) == [kept]


class TestParts:
    def test_every_file_has_an_owner(self) -> None:
        installed = Installed(PACKAGES)
        owners = {
            "httpx/_client.py": "httpx",
            "PySide6/Qt/lib/libQt6Core.so.6": "qt",
            "PySide6/Qt/lib/libicudata.so.73": "icu",
            "PySide6/QtCore.abi3.so": "pyside6-essentials",
        }
        for place, owner in owners.items():
            if not (PACKAGES / place).exists():
                pytest.skip("only on Linux, with the locked packages")
            assert installed.find_owner(_entry(place)) == owner
        assert installed.find_owner(_entry("json", json.__file__, "PYMODULE")) == "python"
        with pytest.raises(UnknownFile, match="no-such-file"):
            installed.find_owner(_entry("no-such-file", "/opt/no-such-file"))

    def test_package_outside_the_lock_is_refused(self) -> None:
        with pytest.raises(BuildFailed, match="pytest"):
            describe([_entry("pytest/__init__.py", kind="PYMODULE")], PACKAGES)

    def test_parts_require_only_parts(self, parts: dict[str, Part]) -> None:
        ids = {part.id for part in parts.values()}
        assert all(set(part.requires) <= ids for part in parts.values())
        assert parts["idna"].id in parts["httpx"].requires
        assert parts["icu"].id in parts["qt"].requires
        assert {parts["python"].id, parts["httpx"].id} <= set(parts[PROGRAM].requires)

    def test_requirements_of_extras_are_left_out(self) -> None:
        texts = ["h11>=0.16", "brotli; extra == 'brotli'", "Jaraco.Classes ; python_version < '3.12'"]
        assert requirement_names(texts) == {"h11", "jaraco-classes"}


class TestLicences:
    def test_every_part_has_its_texts(self, parts: dict[str, Part], tmp_path: Path) -> None:
        target = tmp_path / "licences"
        licences.write_licences(parts, target)
        for key in parts:
            texts = [path for path in (target / key).rglob("*") if path.is_file()]
            assert texts, key
            assert all(path.stat().st_size > 100 for path in texts), key
        for name in ("pyside6-essentials", "shiboken6", "qt", "."):
            assert "GNU LESSER GENERAL PUBLIC LICENSE" in (target / name / "LGPL-3.0.txt").read_text(
                encoding="utf-8"
            )
            assert "GNU GENERAL PUBLIC LICENSE" in (target / name / "GPL-3.0.txt").read_text(encoding="utf-8")

    def test_notice_names_the_versions(self, parts: dict[str, Part]) -> None:
        notice = licences.lgpl_notice(parts)
        assert f"Qt {parts['qt'].version}, PySide6 {parts['pyside6-essentials'].version}" in notice
        assert "_internal/PySide6/Qt/lib" in notice

    def test_list_has_a_line_for_each_part(self, parts: dict[str, Part]) -> None:
        text = licences.list_parts(parts)
        for part in parts.values():
            assert re.search(rf"^{re.escape(part.name)} +{re.escape(part.version or '-')} ", text, re.MULTILINE)


class TestSbom:
    def test_components_are_the_parts_with_licences_and_graph(self, parts: dict[str, Part]) -> None:
        bill = json.loads(sbom.write_sbom(parts, 1_795_437_245))
        assert bill["metadata"]["component"]["name"] == PROGRAM
        assert bill["metadata"]["timestamp"] == "2026-11-23T12:34:05Z"
        ids = {component["bom-ref"] for component in bill["components"]}
        assert ids == {part.id for key, part in parts.items() if key != PROGRAM}
        assert all(component["licenses"] for component in bill["components"])
        graph = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
        assert graph == {part.id: list(part.requires) for part in parts.values()}

    def test_equal_parts_give_equal_bytes(self, parts: dict[str, Part]) -> None:
        backwards = dict(reversed(parts.items()))
        assert sbom.write_sbom(parts, 1) == sbom.write_sbom(backwards, 1)


class TestDeb:
    def test_packages_of_all_libraries_are_required(self) -> None:
        needs = elf.Needs(frozenset({"libEGL.so.1", "libc.so.6", "libm.so.6"}), (2, 35))
        field = deb.depends(needs, [Need("library:libEGL.so.1", "libegl1"), Need("library:libGL.so.1", "libgl1")])
        assert {"libegl1", "libc6 (>= 2.35)", "tzdata"} <= set(field.split(", "))
        assert "libgl1" not in field

    def test_unknown_library_is_refused(self) -> None:
        with pytest.raises(deb.UnknownLibrary, match=r"libnew\.so\.1"):
            deb.depends(elf.Needs(frozenset({"libnew.so.1"}), (2, 17)), deb.known_packages())

    def test_package_has_the_files_of_a_desktop_program(self, root: Path, tmp_path: Path) -> None:
        if shutil.which("dpkg-deb") is None:
            pytest.skip("needs dpkg-deb")
        packages = []
        for name in ("first", "second"):
            folder, tree = tmp_path / name / "folder", tmp_path / name / "tree"
            folder.mkdir(parents=True)
            (folder / PROGRAM).write_bytes(b"\x7fELF, or so")
            app_id = "io.github.usage_viewer.UsageViewer"
            desktop = deb.Desktop(
                app_id,
                root / "packaging" / f"{app_id}.desktop",
                root / "packaging" / f"{app_id}.metainfo.xml",
                root / "resources" / "icons" / "usage-viewer.svg",
            )
            texts = (root / "LICENSE", root / "CHANGELOG.md")
            deb.stage(folder, tree, "1.2.3", elf.Needs(frozenset(), (2, 35)), desktop, texts)
            normalize(tree, 1_795_437_245)
            packages.append(tmp_path / f"{name}.deb")
            deb.build(tree, packages[-1], 1_795_437_245)
        assert packages[0].read_bytes() == packages[1].read_bytes()
        listed = subprocess.run(["dpkg-deb", "-c", packages[0]], capture_output=True, text=True, check=True).stdout
        for line in (
            r"-rwxr-xr-x root/root .* \./usr/lib/usage-viewer/usage-viewer$",
            r"lrwxrwxrwx root/root .* \./usr/bin/usage-viewer -> \.\./lib/usage-viewer/usage-viewer$",
            rf"-rw-r--r-- root/root .* \./usr/share/applications/{app_id}\.desktop$",
            rf"-rw-r--r-- root/root .* \./usr/share/metainfo/{app_id}\.metainfo\.xml$",
            rf"-rw-r--r-- root/root .* \./usr/share/icons/hicolor/scalable/apps/{app_id}\.svg$",
            r"-rw-r--r-- root/root .* \./usr/share/doc/usage-viewer/copyright$",
        ):
            assert re.search(line, listed, re.MULTILINE), line


def test_needs_of_a_program_are_read() -> None:
    if shutil.which("objdump") is None or not elf.is_elf(Path("/bin/sh")):
        pytest.skip("needs objdump and Linux")
    needs = elf.read_needs(Path("/bin/sh"))
    assert "libc.so.6" in needs.libraries
    assert needs.glibc >= (2, 2)
    assert not elf.is_elf(Path(__file__))


def test_sums_name_every_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    write_sums(tmp_path)
    lines = (tmp_path / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert [line.split("  ")[1] for line in lines] == ["b", "folder/a"]
