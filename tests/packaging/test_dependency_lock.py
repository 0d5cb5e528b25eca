"""The lock files match pyproject.toml and name no package source; an outdated or edited one is reported."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from dependency_lock import LOCKS, find_problems, read_locks, read_project


@pytest.fixture
def project() -> dict[str, Any]:
    return copy.deepcopy(read_project())


def pins(lock: str) -> dict[str, str]:
    """Return the line of each pin of a lock, with its marker and hashes, by the name of the package."""
    text = re.sub(r"\\\n\s*", "", read_locks()[lock])
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {re.split(r"[=<>~! ]", line)[0]: line for line in lines}


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
    assert pins(lock)
    for line in pins(lock).values():
        assert re.fullmatch(r"[\w.-]+==[\w.+]+( ; [^\\]+?)?(\s+--hash=sha256:[0-9a-f]{64})+", line), line


@pytest.mark.parametrize("lock", sorted(set(LOCKS) - {"audit"}))
def test_locks_have_the_versions_of_the_development_lock(lock: str) -> None:
    development, own = pins("development"), pins(lock)
    version = re.compile(r"==\S+")
    shared = development.keys() & own.keys()
    assert shared
    assert {name: version.findall(own[name])[0] for name in shared} == {
        name: version.findall(development[name])[0] for name in shared
    }


def test_python_311_gets_qt_before_6_12() -> None:
    """One version is locked for all versions of Python."""
    version = re.match(r"pyside6-essentials==6\.(\d+)", pins("runtime")["pyside6-essentials"])
    assert version is not None
    assert int(version[1]) < 12


def test_each_lock_has_only_what_its_purpose_needs() -> None:
    assert not pins("runtime").keys() & {"pytest", "hypothesis", "openai", "ruff", "mypy", "uv", "hatchling"}
    assert not pins("test").keys() & {"ruff", "mypy", "uv", "import-linter", "codespell", "polars"}
    assert pins("runtime").keys() < pins("test").keys() < pins("development").keys()


@pytest.mark.parametrize("table", ["dependencies", "groups", "python", "build"])
def test_change_of_the_requirements_makes_every_lock_outdated(project: dict[str, Any], table: str) -> None:
    if table == "dependencies":
        project["project"]["dependencies"].append("not-locked>=1")
    elif table == "groups":
        project["dependency-groups"]["test"] = ["pytest>=999"]
    elif table == "python":
        project["project"]["requires-python"] = ">=3.12"
    else:
        project["build-system"]["requires"] = ["hatchling>=999"]
    assert find_problems(project, read_locks()) == [
        f"{lock}.txt was not written from this pyproject.toml." for lock in LOCKS
    ]


def test_change_of_other_tables_keeps_the_locks(project: dict[str, Any]) -> None:
    project["project"]["description"] = "Another one"
    assert find_problems(project, read_locks()) == []


@pytest.mark.parametrize(
    ("pattern", "replacement"), [(r"^httpx==\S+", "httpx==0.27.0"), (r" \\\n    --hash=\S+", "")]
)
def test_edited_lock_is_reported(project: dict[str, Any], pattern: str, replacement: str) -> None:
    texts = read_locks()
    texts["runtime"] = re.sub(pattern, replacement, texts["runtime"], count=1, flags=re.M)
    assert find_problems(project, texts) == ["runtime.txt was edited."]


def test_lock_without_header_is_reported(project: dict[str, Any]) -> None:
    texts = read_locks()
    texts["build"] = texts["build"].partition("\n")[2]
    assert find_problems(project, texts) == ["build.txt was not written from this pyproject.toml."]


def test_every_group_of_the_project_is_locked(project: dict[str, Any]) -> None:
    locked = {words[at + 1] for words in LOCKS.values() for at, word in enumerate(words) if word == "--group"}
    assert set(project["dependency-groups"]) == locked
