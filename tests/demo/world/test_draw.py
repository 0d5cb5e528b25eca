"""Random numbers by counter."""

import numpy as np

from usage_viewer.demo.world.draw import Draw

TIMES = np.arange(480_000, 480_400, dtype=np.int64)
COMBINATIONS = np.arange(200, dtype=np.int32)


def test_a_number_does_not_depend_on_what_is_drawn_with_it() -> None:
    draw = Draw(1, "completions")
    whole = draw.uniform(TIMES[:, None], COMBINATIONS[None, :], 3)
    assert draw.uniform(TIMES[17:18], COMBINATIONS[5:6], 3)[0] == whole[17, 5]


def test_the_numbers_are_spread_evenly() -> None:
    numbers = Draw(1, "completions").uniform(TIMES[:, None], COMBINATIONS[None, :], 3).ravel()
    counts, _ = np.histogram(numbers, bins=20, range=(0, 1))
    assert counts.sum() == numbers.size
    assert abs(counts / numbers.size - 0.05).max() < 0.004
    assert len(np.unique(numbers)) > 0.999 * numbers.size


def test_neighbours_and_streams_are_independent() -> None:
    table = Draw(1, "completions").uniform(TIMES[:, None], COMBINATIONS[None, :], 3)
    others = [
        Draw(2, "completions").uniform(TIMES[:, None], COMBINATIONS[None, :], 3),
        Draw(1, "images").uniform(TIMES[:, None], COMBINATIONS[None, :], 3),
        Draw(1, "completions").uniform(TIMES[:, None], COMBINATIONS[None, :], 4),
        np.roll(table, 1, axis=0),
        np.roll(table, 1, axis=1),
    ]
    for other in others:
        assert abs(np.corrcoef(table.ravel(), other.ravel())[0, 1]) < 0.02
