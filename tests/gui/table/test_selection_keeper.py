"""Ranges of rows."""

import pytest

from usage_viewer.gui.table.selection_keeper import merged


@pytest.mark.parametrize(
    ("ranges", "result"),
    [
        ([], []),
        ([(3, 4), (0, 1)], [(0, 1), (3, 4)]),
        ([(0, 1), (2, 2), (2, 5), (7, 7)], [(0, 5), (7, 7)]),
        ([(0, 9), (2, 3)], [(0, 9)]),
    ],
)
def test_ranges_that_touch_become_one(ranges: list[tuple[int, int]], result: list[tuple[int, int]]) -> None:
    assert merged(ranges) == result
