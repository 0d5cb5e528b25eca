"""The set-up installs what each purpose needs, and detects an outdated environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from setup_environment import INCLUDED, LOCKS, PURPOSES, Checkout, can_extend
from system_packages import LISTS, is_debian, read_list, read_os_release


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Checkout:
    """A checkout with pyproject.toml and the locks, without an environment."""
    checkout = Checkout(tmp_path)
    (tmp_path / "packaging" / "requirements").mkdir(parents=True)
    for path in [root / "pyproject.toml", *(root / "packaging" / "requirements").glob("*.txt")]:
        (tmp_path / path.relative_to(root)).write_bytes(path.read_bytes())
    return checkout


def change(path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("# changed\n")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_locks_and_sections_of_each_purpose_exist(root: Path, purpose: str) -> None:
    lock, sections = PURPOSES[purpose]
    assert all(path.is_file() for path in Checkout(root).requirements(lock))
    assert set(sections) <= set(read_list((LISTS / "debian.txt").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["pyproject.toml", "packaging/requirements/runtime.txt"])
def test_change_invalidates_every_environment(checkout: Checkout, name: str) -> None:
    before = {lock: checkout.fingerprint(lock) for lock in LOCKS}
    assert before == {lock: checkout.fingerprint(lock) for lock in LOCKS}
    change(checkout.root / name)
    assert all(checkout.fingerprint(lock) != before[lock] for lock in LOCKS)


def test_change_of_the_development_lock_keeps_the_runtime_environment(checkout: Checkout) -> None:
    before = {lock: checkout.fingerprint(lock) for lock in LOCKS}
    change(checkout.requirements("development")[0])
    assert checkout.fingerprint("runtime") == before["runtime"]
    assert checkout.fingerprint("development") != before["development"]


def test_an_environment_is_current_until_something_changes(checkout: Checkout) -> None:
    assert not checkout.is_current("runtime")
    checkout.environment.mkdir()
    checkout.stamp("runtime").write_text(checkout.fingerprint("runtime"), encoding="utf-8")
    assert not checkout.is_current("runtime"), "the environment has no Python"
    checkout.python.parent.mkdir()
    checkout.python.touch()
    assert checkout.is_current("runtime")
    assert not checkout.is_current("development")
    change(checkout.root / "pyproject.toml")
    assert not checkout.is_current("runtime")


def test_older_python_gets_a_message(root: Path, tmp_path: Path) -> None:
    """The first lines of the set-up check the version, before code that an older Python can't run."""
    source = (root / "packaging" / "setup_environment.py").read_text(encoding="utf-8")
    script = tmp_path / "setup_environment.py"
    script.write_text(source.replace("OLDEST_PYTHON = (3, 11)", "OLDEST_PYTHON = (99, 0)"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, "run"],
        capture_output=True,
        text=True,
        env={**os.environ, "LANG": "C.UTF-8"},
        check=False,
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr


def test_environment_is_extended_only_if_its_locks_are_current(checkout: Checkout) -> None:
    assert not can_extend(checkout, "development"), "nothing is installed"
    checkout.python.parent.mkdir(parents=True)
    checkout.python.touch()
    checkout.stamp("runtime").write_text(checkout.fingerprint("runtime"), encoding="utf-8")
    assert can_extend(checkout, "development")
    assert can_extend(checkout, "bench")
    checkout.stamp("development").write_text("of another lock", encoding="utf-8")
    assert not can_extend(checkout, "development")
    assert not can_extend(checkout, "bench")


def test_tests_need_no_tool_of_the_checks(root: Path) -> None:
    """`make check` before `make test` installs nothing twice, and `make bench` adds to the tests' packages."""
    assert PURPOSES["test"][0] == PURPOSES["package"][0] == "test"
    assert INCLUDED["development"] == ["runtime", "test"]
    assert LOCKS["bench"][0] == LOCKS["test"][0]


@pytest.fixture
def small_checkout(root: Path, checkout: Checkout) -> Checkout:
    """A checkout with a current environment, whose set-up needs one command that apt-get's stand-in brings."""
    packaging = checkout.root / "packaging"
    for name in ("setup_environment.py", "system_packages.py", "steps.py"):
        (packaging / name).write_bytes((root / "packaging" / name).read_bytes())
    (packaging / "system-packages").mkdir()
    needs = "[python]\ncommand:brought-by-apt one\n[run]\ncommand:sh two\n"
    (packaging / "system-packages" / "debian.txt").write_text(needs, encoding="utf-8")
    checkout.python.parent.mkdir(parents=True)
    checkout.python.touch()
    checkout.stamp("runtime").write_text(checkout.fingerprint("runtime"), encoding="utf-8")
    return checkout


@pytest.mark.skipif(not is_debian(read_os_release()), reason="packages are installed on Debian only")
def test_set_up_starts_again_after_packages_were_installed(small_checkout: Checkout, tmp_path: Path) -> None:
    """A package may have upgraded Python: the environment must be compared with the new one."""
    commands = tmp_path / "commands"
    commands.mkdir()
    calls = tmp_path / "calls"
    brought = commands / "brought-by-apt"
    script = f'echo "$@" >>{calls}\necho "Setting up one"\necho "#!/bin/sh" >{brought}\nchmod +x {brought}\n'
    for name, text in (("apt-get", script), ("sudo", 'shift\nexec "$@"\n')):
        (commands / name).write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        (commands / name).chmod(0o755)
    done = subprocess.run(
        [sys.executable, small_checkout.root / "packaging" / "setup_environment.py", "run"],
        env={**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Installing 1 system packages: one",
        "Starting the set-up again, as Python may have been upgraded",
    ]
    assert len(calls.read_text(encoding="utf-8").splitlines()) == 1
