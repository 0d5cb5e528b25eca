"""Tests finding rows by typing, with a manual clock."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.rigs.clock import Clock
from usage_viewer.domain.table import GroupColumn, Table
from usage_viewer.gui.table.type_ahead import PAUSE, TypeAhead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def typed(clock: Clock, table_of: Callable[..., Table]) -> Callable[[str, int], int | None]:
    """Return a function that types into rows shown as gpt-5, gpt-6, nano, o7."""
    column = table_of(model=["o7", "nano", "gpt-6", "gpt-5"]).by_name["model"]
    assert isinstance(column, GroupColumn)
    ahead = TypeAhead(clock)
    return lambda text, current: ahead.find(text, column, np.array([3, 2, 1, 0]), current)


def test_pause_begins_a_new_search(typed: Callable[[str, int], int | None], clock: Clock) -> None:
    assert [typed(letter, -1) for letter in "GPT-6"] == [0, 0, 0, 0, 1]
    clock.now += PAUSE + 0.1
    assert typed("n", 1) == 2


def test_search_continues_from_the_top(typed: Callable[[str, int], int | None]) -> None:
    assert typed("g", 3) == 0


def test_repeated_letter_finds_the_next_row(typed: Callable[[str, int], int | None]) -> None:
    assert typed("g", -1) == 0
    assert typed("g", 0) == 1
    assert typed("g", 1) == 0


def test_no_match(typed: Callable[[str, int], int | None]) -> None:
    assert typed("x", 0) is None
