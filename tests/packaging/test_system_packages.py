"""The lists of system packages are well-formed, and missing packages are found."""

import re
import sysconfig

import pytest

import system_packages
from system_packages import FAMILIES, LISTS, Need, family_of, is_present, missing, read_list


@pytest.mark.parametrize("family", FAMILIES)
def test_list_is_well_formed(family: str) -> None:
    sections = read_list((LISTS / f"{family}.txt").read_text(encoding="utf-8"))
    assert list(sections) == ["python", "run", "test", "check", "folder", "package", "bare-debian"]
    for needs in sections.values():
        probes = [need.probe for need in needs]
        assert len(set(probes)) == len(probes)
        for need in needs:
            assert re.fullmatch(
                r"(library:lib\S+\.so\.\d+|(command|daemon):\S+|module:\w+|python:library|font:any)", need.probe
            )
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+_-]*", need.package)


def test_every_list_has_a_family_and_the_same_probes() -> None:
    assert {path.stem for path in LISTS.iterdir()} == set(FAMILIES)
    probes_of = {
        family: [
            (section, need.probe)
            for section, needs in read_list((LISTS / f"{family}.txt").read_text(encoding="utf-8")).items()
            for need in needs
        ]
        for family in FAMILIES
    }
    assert all(probes == probes_of["debian"] for probes in probes_of.values())


@pytest.mark.parametrize(
    ("os_release", "family"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "debian"),
        ('NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', "debian"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"),
        ("ID=manjaro\nID_LIKE=arch\n", "arch"),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "opensuse"),
        ("ID=alpine\n", None),
        ("", None),
    ],
)
def test_family_is_read_from_os_release(os_release: str, family: str | None) -> None:
    assert family_of(os_release) == family


@pytest.mark.parametrize("text", ["libegl1\n", "[run]\nlibrary:x\n", "library:x y\n", "[run]\na b c\n"])
def test_malformed_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        read_list(text)


def test_probes_find_missing_packages() -> None:
    present = [Need("module:json", "a"), Need("command:sh", "b")]
    absent = [
        Need("module:no_such_module_here", "c"),
        Need("command:no-such-command-here", "d"),
        Need("library:libno-such-library.so.9", "e"),
    ]
    assert missing({"run": present, "test": absent}, ["run", "test"]) == absent
    assert missing({"run": present, "test": absent}, ["run"]) == []


def test_shared_library_of_python_is_found() -> None:
    is_shared = bool(sysconfig.get_config_var("Py_ENABLE_SHARED"))
    assert is_present("python:library") or not is_shared


def test_unknown_probe_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown probe"):
        is_present("smell:roses")


def test_only_a_failed_command_returns_its_output() -> None:
    assert system_packages.run_quietly(["sh", "-c", "echo out; echo err >&2; exit 3"]) == "out\nerr\n"
    assert system_packages.run_quietly(["sh", "-c", "echo out"]) is None
