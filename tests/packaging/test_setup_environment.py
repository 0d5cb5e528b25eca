"""The set-up knows what each purpose needs, and when what is there no longer fits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from setup_environment import LOCKS, PURPOSES, Checkout, may_grow, up_to
from system_packages import FAMILIES, LISTS, read_list


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Checkout:
    """A checkout of the metadata and the locks, without an environment."""
    made = Checkout(tmp_path)
    (tmp_path / "packaging" / "requirements").mkdir(parents=True)
    for path in [root / "pyproject.toml", *(root / "packaging" / "requirements").glob("*.txt")]:
        (tmp_path / path.relative_to(root)).write_bytes(path.read_bytes())
    return made


def change(path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("# changed\n")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_purpose_names_what_there_is(root: Path, purpose: str) -> None:
    lock, sections = PURPOSES[purpose]
    assert all(path.is_file() for path in Checkout(root).requirements(lock))
    for family in FAMILIES:
        assert set(sections) <= set(read_list((LISTS / f"{family}.txt").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["pyproject.toml", "packaging/requirements/runtime.txt"])
def test_a_change_begins_the_environment_anew(checkout: Checkout, name: str) -> None:
    before = {lock: checkout.fingerprint(lock) for lock in LOCKS}
    assert before == {lock: checkout.fingerprint(lock) for lock in LOCKS}
    change(checkout.root / name)
    assert all(checkout.fingerprint(lock) != before[lock] for lock in LOCKS)


def test_a_change_of_development_alone_leaves_the_runtime_as_it_is(checkout: Checkout) -> None:
    before = {lock: checkout.fingerprint(lock) for lock in LOCKS}
    change(checkout.requirements("development")[0])
    assert checkout.fingerprint("runtime") == before["runtime"]
    assert checkout.fingerprint("development") != before["development"]


def test_an_environment_is_current_until_something_changes(checkout: Checkout) -> None:
    assert not checkout.is_current("runtime")
    checkout.environment.mkdir()
    checkout.stamp("runtime").write_text(checkout.fingerprint("runtime"), encoding="utf-8")
    assert not checkout.is_current("runtime"), "there is no Python in it"
    checkout.python.parent.mkdir()
    checkout.python.touch()
    assert checkout.is_current("runtime")
    assert not checkout.is_current("development")
    change(checkout.root / "pyproject.toml")
    assert not checkout.is_current("runtime")


def test_an_older_python_is_told_so(root: Path, tmp_path: Path) -> None:
    """The set-up's first lines decide, before anything that an older Python could stumble over."""
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


def test_an_environment_grows_as_long_as_what_is_there_is_current(checkout: Checkout) -> None:
    assert not may_grow(checkout, "development"), "nothing is there"
    checkout.python.parent.mkdir(parents=True)
    checkout.python.touch()
    checkout.stamp("runtime").write_text(checkout.fingerprint("runtime"), encoding="utf-8")
    assert may_grow(checkout, "development")
    assert may_grow(checkout, "bench")
    checkout.stamp("development").write_text("of another lock", encoding="utf-8")
    assert not may_grow(checkout, "development")
    assert not may_grow(checkout, "bench")


def test_each_lock_holds_those_before_it() -> None:
    assert up_to("bench") == ["runtime", "development", "bench"]
    assert up_to("runtime") == ["runtime"]
