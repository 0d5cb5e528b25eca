"""Exact numbers are split over whole arrays as Python's whole numbers are, one row at a time."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest

from usage_viewer.query.spend.exact_numbers import UNIT, ExactNumbers, Shares, mul_div, product, split

Row = tuple[int, int, list[int]]  # units, tail, weights


def number(random: Random, most: int) -> int:
    """Return a whole number of any length up to `most`."""
    return min(random.choice([0, 1, random.randrange(1 << random.randrange(1, 63))]), most)


def expected(units: int, tail: int, weights: Sequence[int], places: Sequence[int]) -> list[tuple[int, int]]:
    """Return the parts of one row in units and tail, by largest remainder."""
    sign, units, tail = (-1 if units < 0 or tail < 0 else 1), abs(units), abs(tail)
    total = sum(weights)
    shares = [units * weight // total for weight in weights]
    left = units - sum(shares)
    order = sorted(range(len(weights)), key=lambda part: (-(units * weights[part] % total), places[part]))
    for part in order[:left]:
        shares[part] += 1
    first = places.index(min(places))
    return [(sign * share, sign * tail if part == first else 0) for part, share in enumerate(shares)]


def random_rows(random: Random, largest: int, heaviest: int) -> list[Row]:
    rows = list[Row]()
    for _ in range(random.randrange(1, 30)):
        sign = random.choice([1, 1, -1])
        units = sign * random.choice([0, 1, random.randrange(largest), random.randrange(largest) // UNIT * UNIT])
        tail = sign * random.choice([0, 0, random.randrange(UNIT)])
        weights = [random.randrange(1, heaviest) for _ in range(random.randrange(1, 8))]
        rows.append((units, tail, [1] * len(weights) if random.random() < 0.2 else weights))
    return rows


@pytest.mark.parametrize("seed", range(60))
def test_split_is_that_of_single_rows(seed: int) -> None:
    random = Random(seed)
    largest = random.choice([10**6, 10**15, 10**25])
    rows = random_rows(random, largest, random.choice([4, 10**6, 2**40, 2**58]))
    parts = [(row, place, weight) for row, (*_, weights) in enumerate(rows) for place, weight in enumerate(weights)]
    random.shuffle(parts)
    row, place = (np.array([part[index] for part in parts], np.int64) for index in (0, 1))
    weights = product(np.array([part[2] for part in parts], np.int64), np.full(len(parts), 1), row)
    signs = [-1 if units < 0 or tail < 0 else 1 for units, tail, _ in rows]
    whole, units, tail = (
        np.array([sign * value for sign, value in zip(signs, column, strict=True)], np.int64)
        for column in (
            [abs(units) // UNIT for units, *_ in rows],
            [abs(units) % UNIT for units, *_ in rows],
            [abs(tail) for _, tail, _ in rows],
        )
    )
    numbers = ExactNumbers(whole, units, tail, np.ones(len(rows), np.bool_))
    found = split(numbers, Shares(row, place), weights)
    shares = list(zip((found.whole.astype(object) * UNIT + found.units).tolist(), found.tail.tolist(), strict=True))
    for index, (billed, small, own) in enumerate(rows):
        of_row = [position for position, part in enumerate(parts) if part[0] == index]
        in_order = sorted(of_row, key=lambda position: parts[position][1])
        assert [shares[position] for position in in_order] == expected(billed, small, own, range(len(own)))


@pytest.mark.parametrize("seed", range(60))
def test_mul_div_is_that_of_whole_numbers(seed: int) -> None:
    random = Random(seed)
    most = random.choice([2**20, 2**40, 2**61])
    cases = list[tuple[int, int, int]]()
    while len(cases) < 200:
        value, factor, divisor = number(random, most), number(random, most), max(1, number(random, most))
        if value * factor // divisor < 2**62:
            cases.append((value, factor, divisor))
        if factor <= divisor:
            cases.append((value, divisor - 1, divisor))
    values, factors, divisors = (np.array(column, np.int64) for column in zip(*cases, strict=True))
    quotients, rests = mul_div(values, factors, divisors)
    for (value, factor, divisor), quotient, rest in zip(cases, quotients.tolist(), rests.tolist(), strict=True):
        assert (quotient, rest) == divmod(value * factor, divisor)


def test_products_that_do_not_fit_stay_exact() -> None:
    values, factors = np.array([2**40, 2**40]), np.array([2**20, 2**21])
    assert product(values, factors, np.array([0, 1])).dtype == np.int64
    large = product(values, factors, np.array([0, 0]))
    assert large.tolist() == [2**60, 2**61]
    assert product(values, np.array([2**30, 2**31]), np.array([0, 1])).tolist() == [2**70, 2**71]
