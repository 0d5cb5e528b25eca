"""The list of system packages is well-formed, missing packages are found, and apt-get's errors are reported."""

import os
import re
import sysconfig
from pathlib import Path

import pytest

import system_packages
from steps import count_lines, run_step
from system_packages import (
    LISTS,
    Need,
    SystemPackagesMissing,
    command_for_user,
    install,
    is_debian,
    is_present,
    missing,
    read_list,
    update,
)


def test_list_is_well_formed() -> None:
    sections = read_list((LISTS / "debian.txt").read_text(encoding="utf-8"))
    assert list(sections) == ["python", "run", "test", "check", "folder", "package", "bare-debian"]
    for needs in sections.values():
        probes = [need.probe for need in needs]
        assert len(set(probes)) == len(probes)
        for need in needs:
            assert re.fullmatch(
                r"(library:lib\S+\.so\.\d+|(command|daemon):\S+|module:\w+|python:library|font:any)", need.probe
            )
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+_-]*", need.package)


@pytest.mark.parametrize(
    ("os_release", "expected"),
    [
        ('ID=debian\nVERSION_ID="12"\n', True),
        ('NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', True),
        ("ID='ubuntu'\n", True),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', False),
        ("ID=notdebian\n", False),
        ("", False),
    ],
)
def test_debian_is_read_from_os_release(os_release: str, expected: bool) -> None:
    assert is_debian(os_release) is expected


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


NO_NETWORK = """\
Err:1 http://deb.example bookworm InRelease
  Temporary failure resolving 'deb.example'
E: Failed to fetch http://deb.example/InRelease  Temporary failure resolving 'deb.example'
E: Some index files failed to download.
"""
LISTS_IN_USE = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)\n"


class AptGet:
    """A program named apt-get, first on PATH, that fails with the given status and writes down its arguments."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._directory.mkdir()
        program = directory / "apt-get"
        program.write_text(
            f'#!/bin/sh\ncd {directory}\necho "$@" >>calls\n'
            "for word; do case $word in install|update) action=$word; break;; esac; done\n"
            "echo x >>$action.count\nnumber=$(wc -l <$action.count)\n"
            "if [ -e $action.$number ]; then cat $action.$number; exit 100; fi\n",
            encoding="utf-8",
        )
        program.chmod(0o755)

    def fails(self, action: str, number: int, output: str) -> None:
        """Let the `number`th call (from 1) of an action print `output` and fail."""
        (self._directory / f"{action}.{number}").write_text(output, encoding="utf-8")

    @property
    def actions(self) -> list[str]:
        """The actions of all calls."""
        calls = (self._directory / "calls").read_text(encoding="utf-8").splitlines()
        return [next(word for word in call.split() if word in ("install", "update")) for call in calls]

    @property
    def calls(self) -> list[str]:
        """The arguments of all calls."""
        return (self._directory / "calls").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def apt_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AptGet:
    program = AptGet(tmp_path / "commands")
    monkeypatch.setenv("PATH", f"{tmp_path / 'commands'}:{os.environ['PATH']}")
    return program


def test_installation_waits_for_the_lock_of_the_package_manager(apt_get: AptGet) -> None:
    install(["one", "two"], [])
    assert apt_get.actions == ["install"]
    assert f"-o DPkg::Lock::Timeout={system_packages.LOCK_WAIT}" in apt_get.calls[0]
    assert apt_get.calls[0].endswith("one two")


def test_package_lists_are_loaded_after_a_failed_installation(apt_get: AptGet) -> None:
    apt_get.fails("install", 1, "E: Unable to locate package one\n")
    install(["one"], [])
    assert apt_get.actions == ["install", "update", "install"]


def test_error_of_the_network_is_shown_and_not_its_consequences(apt_get: AptGet) -> None:
    missing_all = "".join(f"E: Package 'p{number}' has no installation candidate\n" for number in range(30))
    apt_get.fails("update", 1, NO_NETWORK)
    for number in (1, 2):
        apt_get.fails("install", number, missing_all)
    with pytest.raises(SystemPackagesMissing) as caught:
        install(["one"], [])
    message = str(caught.value)
    assert "Failed to fetch http://deb.example/InRelease" in message
    assert "candidate" not in message
    assert "sudo apt-get update && sudo apt-get install -y --no-install-recommends one" in message


def test_long_lists_of_errors_are_shortened(apt_get: AptGet) -> None:
    for number in (1, 2):
        apt_get.fails("install", number, "".join(f"E: Unable to locate package p{one}\n" for one in range(30)))
    with pytest.raises(SystemPackagesMissing) as caught:
        install(["one"], [])
    assert str(caught.value).count("Unable to locate") == 6
    assert "… and 24 more problems" in str(caught.value)


def test_loading_the_lists_waits_while_another_program_does_so(apt_get: AptGet) -> None:
    apt_get.fails("update", 1, LISTS_IN_USE)
    apt_get.fails("update", 2, LISTS_IN_USE)
    assert update([], pause=0) == (0, "")
    assert apt_get.actions == ["update"] * 3


def test_waiting_for_the_lists_ends(apt_get: AptGet) -> None:
    apt_get.fails("update", 1, LISTS_IN_USE)
    status, output = update([], wait=0, pause=0)
    assert (status, output) == (100, LISTS_IN_USE)
    assert apt_get.actions == ["update"]


def test_other_errors_of_the_lists_are_not_waited_for(apt_get: AptGet) -> None:
    apt_get.fails("update", 1, NO_NETWORK)
    assert update([], pause=0)[0] == 100
    assert apt_get.actions == ["update"]


def test_user_without_root_gets_the_whole_command() -> None:
    command = "sudo apt-get update && sudo apt-get install -y --no-install-recommends one 'two three'"
    assert command_for_user(["one", "two three"]) == command


def test_step_reports_how_far_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    script = "for n in 1 2 3 4 5; do echo Setting up $n; done; echo other >&2; exit 3"
    status, output = run_step(["sh", "-c", script], count_lines(("Setting up ",), "packages are set up", step=2))
    assert (status, output.splitlines()[-1], len(output.splitlines())) == (3, "other", 6)
    assert capfd.readouterr().out.splitlines() == ["  2 packages are set up", "  4 packages are set up"]
