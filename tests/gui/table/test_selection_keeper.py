"""Tests ranges of rows."""

import pytest

from usage_viewer.gui.table.selection_keeper import merge_ranges


@pytest.mark.parametrize(
    ("ranges", "result"),
    [
        ([], []),
        ([(3, 4), (0, 1)], [(0, 1), (3, 4)]),
        ([(0, 1), (2, 2), (2, 5), (7, 7)], [(0, 5), (7, 7)]),
        ([(0, 9), (2, 3)], [(0, 9)]),
    ],
)
def test_adjacent_ranges_are_combined(ranges: list[tuple[int, int]], result: list[tuple[int, int]]) -> None:
    assert merge_ranges(ranges) == result
