"""The lock files match pyproject.toml and name no package source; an outdated one is reported."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from dependency_lock import (
    GROUPS,
    LOCKS,
    environments,
    find_problems,
    parse,
    read_locks,
    read_project,
    required,
    versions_in,
)


@pytest.fixture
def project() -> dict[str, Any]:
    return copy.deepcopy(read_project())


def test_locks_match_the_project(project: dict[str, Any]) -> None:
    assert find_problems(project, read_locks()) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_have_no_url_and_no_path(root: Path, lock: str) -> None:
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
def test_every_direct_requirement_is_locked(project: dict[str, Any], lock: str) -> None:
    locked = {canonicalize_name(pin.requirement.name) for pin in parse(read_locks()[lock])}
    assert {canonicalize_name(requirement.name) for requirement in required(project, lock)} <= locked


def test_python_311_gets_qt_before_6_12() -> None:
    for environment in environments():
        if environment["python_version"] == "3.11":
            version = versions_in(parse(read_locks()["runtime"]), environment)["pyside6-essentials"]
            assert tuple(map(int, version.split(".")[:2])) < (6, 12)


def test_runtime_lock_has_no_test_tools(project: dict[str, Any]) -> None:
    locked = {canonicalize_name(pin.requirement.name) for pin in parse(read_locks()["runtime"])}
    tools = {"pytest", "hypothesis", "openai", "ruff", "mypy", "uv", "hatchling"}
    assert not locked & tools


def test_new_requirement_makes_the_lock_outdated(project: dict[str, Any]) -> None:
    project["project"]["dependencies"].append("not-locked>=1")
    problems = find_problems(project, read_locks())
    assert "runtime.txt was not written from this pyproject.toml." in problems
    assert "runtime.txt lacks not-locked for Python 3.11 on Linux." in problems
    assert not [problem for problem in problems if problem.startswith("build.txt lacks")]


def test_raised_bound_makes_the_lock_outdated(project: dict[str, Any]) -> None:
    project["dependency-groups"]["test"] = ["pytest>=999"]
    assert any(
        re.match(r"development.txt has pytest \S+, not pytest>=999", f)
        for f in find_problems(project, read_locks())
    )


def test_pin_without_hash_is_reported(project: dict[str, Any]) -> None:
    texts = read_locks()
    texts["build"] = re.sub(r" \\\n    --hash=\S+", "", texts["build"])
    assert any(
        problem.startswith("build.txt has no hash for hatchling") for problem in find_problems(project, texts)
    )


def test_locks_with_different_versions_are_reported(project: dict[str, Any]) -> None:
    texts = read_locks()
    texts["runtime"] = re.sub(r"^httpx==\S+", "httpx==0.27.0", texts["runtime"], flags=re.M)
    assert "runtime.txt has httpx==0.27.0, development.txt has another version." in find_problems(project, texts)


def test_every_group_of_the_project_is_locked(project: dict[str, Any]) -> None:
    assert set(project["dependency-groups"]) == {group for groups in GROUPS.values() for group in groups}
