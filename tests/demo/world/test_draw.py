"""Tests counter-based random numbers."""

import numpy as np

from usage_viewer.demo.world.draw import RandomStream

TIMES = np.arange(480_000, 480_400, dtype=np.int64)
COMBINATIONS = np.arange(200, dtype=np.int32)


def test_number_does_not_depend_on_the_array_shape() -> None:
    stream = RandomStream(1, "completions")
    whole = stream.uniform(TIMES[:, None], COMBINATIONS[None, :], 3)
    assert stream.uniform(TIMES[17:18], COMBINATIONS[5:6], 3)[0] == whole[17, 5]


def test_numbers_are_uniform() -> None:
    numbers = RandomStream(1, "completions").uniform(TIMES[:, None], COMBINATIONS[None, :], 3).ravel()
    counts, _ = np.histogram(numbers, bins=20, range=(0, 1))
    assert counts.sum() == numbers.size
    assert abs(counts / numbers.size - 0.05).max() < 0.004
    assert len(np.unique(numbers)) > 0.999 * numbers.size


def test_neighbours_and_streams_are_uncorrelated() -> None:
    table = RandomStream(1, "completions").uniform(TIMES[:, None], COMBINATIONS[None, :], 3)
    others = [
        RandomStream(2, "completions").uniform(TIMES[:, None], COMBINATIONS[None, :], 3),
        RandomStream(1, "images").uniform(TIMES[:, None], COMBINATIONS[None, :], 3),
        RandomStream(1, "completions").uniform(TIMES[:, None], COMBINATIONS[None, :], 4),
        np.roll(table, 1, axis=0),
        np.roll(table, 1, axis=1),
    ]
    for other in others:
        assert abs(np.corrcoef(table.ravel(), other.ravel())[0, 1]) < 0.02
