"""Checks that the tests and faults named in PROMISES.md exist."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.faults.fault_cases import FAULTS

TESTS: Final = Path(__file__).parents[1]
PAGE: Final = Path(__file__).with_name("PROMISES.md").read_text(encoding="utf-8")
NAMED: Final = sorted(set(re.findall(r"`([\w/]+\.py::[\w:]+)`", PAGE)))


def list_tests(path: Path) -> dict[str, bool]:
    """Return the tests of a file by name (`Class::test`), and whether each is a long run."""
    tests: dict[str, bool] = {}
    module = ast.parse(path.read_text(encoding="utf-8"))
    for node in module.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        before = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for one in inside:
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                tests[before + one.name] = any(
                    ast.unparse(mark) == "pytest.mark.fuzz" for mark in one.decorator_list
                )
    return tests


@pytest.mark.parametrize("name", NAMED)
def test_named_test_exists(name: str) -> None:
    file, _, test = name.partition("::")
    assert test in list_tests(TESTS / file)


def test_every_row_names_a_test_of_make_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and ".py::" in line]
    assert len(rows) > 40
    for row in rows:
        tests = [name.partition("::") for name in re.findall(r"`([\w/]+\.py::[\w:]+)`", row)]
        assert any(not list_tests(TESTS / file)[test] for file, _, test in tests), row


def test_named_faults_exist() -> None:
    rows = PAGE.partition("| Fault | Rows of the table |")[2].partition("##")[0].splitlines()[2:]
    named = [one.strip() for row in rows if row.startswith("|") for one in row.split("|")[2].split(";")]
    assert len(named) > 50
    assert set(named) <= {fault.name for fault in FAULTS}


def test_every_long_run_is_named() -> None:
    long = {
        f"{path.relative_to(TESTS)}::{name}"
        for path in TESTS.rglob("test_*.py")
        if "bench" not in path.parts
        for name, fuzz in list_tests(path).items()
        if fuzz
    }
    assert long - {"cli/test_against_the_sdk.py::test_many_more_random_questions"} <= set(NAMED)
