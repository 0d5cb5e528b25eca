"""Tests which rows a copy takes and how they are named."""

import pytest
from PySide6.QtCore import QLocale

from usage_viewer.gui.formatting.row_counts import Runs, chosen_runs, chosen_text


@pytest.mark.parametrize(
    ("selected", "rows", "text"),
    [
        ((), 46, "all 46 rows"),
        (((3, 3),), 46, "all 46 rows"),
        (((3, 4),), 46, "2 selected rows"),
        (((0, 0), (5, 6)), 46, "3 selected rows"),
        (((0, 45),), 46, "all 46 rows"),
        ((), 874_945, "all 874,945 rows"),
        (((0, 0),), 1, "1 row"),
    ],
)
def test_chosen_rows_are_named(selected: Runs, rows: int, text: str) -> None:
    assert chosen_text(chosen_runs(selected), rows, QLocale("en_US")) == text


def test_one_row_can_be_chosen_by_itself() -> None:
    assert chosen_text([(3, 3)], 46, QLocale("en_US")) == "1 row"
