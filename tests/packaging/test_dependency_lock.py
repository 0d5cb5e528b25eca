"""The lock files belong to pyproject.toml, name no source, and a stale one is found."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from dependency_lock import GROUPS, LOCKS, chosen, environments, faults, parse, read_locks, read_project, required


@pytest.fixture
def project() -> dict[str, Any]:
    return copy.deepcopy(read_project())


def test_the_locks_belong_to_the_project(project: dict[str, Any]) -> None:
    assert faults(project, read_locks()) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_path(root: Path, lock: str) -> None:
    text = (root / "packaging" / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"(^|\s)-{1,2}(i|f|e|r|c|index-url|extra-index-url|find-links|trusted-host)\b", text, re.M)
    assert not re.search(r"(^|\s)(/|~|\.\.?/|[A-Za-z]:\\)", text, re.M)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_exact_and_has_hashes(lock: str) -> None:
    pins = parse(read_locks()[lock])
    assert pins
    for pin in pins:
        (specifier,) = pin.requirement.specifier
        assert specifier.operator == "==", pin.requirement
        assert pin.requirement.url is None
        assert pin.hashes, pin.requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in pin.hashes), pin.requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_every_direct_requirement_is_locked_for_some_environment(project: dict[str, Any], lock: str) -> None:
    locked = {canonicalize_name(pin.requirement.name) for pin in parse(read_locks()[lock])}
    assert {canonicalize_name(requirement.name) for requirement in required(project, lock)} <= locked


def test_python_311_gets_no_broken_qt() -> None:
    for environment in environments():
        if environment["python_version"] == "3.11":
            version = chosen(parse(read_locks()["runtime"]), environment)["pyside6-essentials"]
            assert tuple(map(int, version.split(".")[:2])) < (6, 12)


def test_the_runtime_lock_holds_no_test_tools(project: dict[str, Any]) -> None:
    locked = {canonicalize_name(pin.requirement.name) for pin in parse(read_locks()["runtime"])}
    tools = {"pytest", "hypothesis", "openai", "ruff", "mypy", "uv", "hatchling"}
    assert not locked & tools


def test_a_new_requirement_makes_the_lock_stale(project: dict[str, Any]) -> None:
    project["project"]["dependencies"].append("not-locked>=1")
    found = faults(project, read_locks())
    assert "runtime.txt was not written from this pyproject.toml." in found
    assert "runtime.txt lacks not-locked for Python 3.11 on Linux." in found
    assert not [fault for fault in found if fault.startswith("build.txt lacks")]


def test_a_raised_bound_makes_the_lock_stale(project: dict[str, Any]) -> None:
    project["dependency-groups"]["test"] = ["pytest>=999"]
    assert any(
        re.match(r"development.txt holds pytest \S+, not pytest>=999", f) for f in faults(project, read_locks())
    )


def test_a_pin_without_a_hash_is_found(project: dict[str, Any]) -> None:
    texts = read_locks()
    texts["build"] = re.sub(r" \\\n    --hash=\S+", "", texts["build"])
    assert any(fault.startswith("build.txt has no hash for hatchling") for fault in faults(project, texts))


def test_two_locks_that_disagree_are_found(project: dict[str, Any]) -> None:
    texts = read_locks()
    texts["runtime"] = re.sub(r"^httpx==\S+", "httpx==0.27.0", texts["runtime"], flags=re.M)
    assert "runtime.txt holds httpx==0.27.0, development.txt another version." in faults(project, texts)


def test_every_group_of_the_project_is_locked(project: dict[str, Any]) -> None:
    assert set(project["dependency-groups"]) == {group for groups in GROUPS.values() for group in groups}
