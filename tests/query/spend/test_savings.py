"""Savings are at the own prices of the same day, as whole numbers say, row by row."""

from random import Random

import numpy as np
import pytest

from usage_viewer.query.spend.exact_numbers import UNIT, ExactNumbers
from usage_viewer.query.spend.savings import OwnPrices

NAMES = ("service", "model", "service_tier", "currency", "quantity_unit", "batch", "token_kind")
KINDS = ("input", "cached input", "audio input", "audio cached input", "output")
Cell = tuple[str | None, ...]


def exact(units: list[int]) -> ExactNumbers:
    """Return whole numbers of units, of which 0 is not known."""
    signs = [-1 if value < 0 else 1 for value in units]
    whole, small = (
        np.array([sign * part for sign, part in zip(signs, column, strict=True)], np.int64)
        for column in ([abs(value) // UNIT for value in units], [abs(value) % UNIT for value in units])
    )
    return ExactNumbers(whole, small, np.zeros(len(units), np.int64), np.array(units) != 0)


@pytest.mark.parametrize("seed", range(40))
def test_ordinary_cost_is_that_of_whole_numbers(seed: int) -> None:
    random = Random(seed)
    cells: list[Cell] = [
        ("completions", model, None, "usd", "tokens", batch, kind)
        for model in ("a", "b")
        for batch in ("false", "true")
        for kind in KINDS
    ] + [(None, None, None, "usd", None, None, None)]
    rows = [(random.randrange(3), random.randrange(len(cells))) for _ in range(random.randrange(1, 80))]
    amounts = [random.choice([1, 1, 1, -1, 0]) * random.randrange(1, 10 ** random.randrange(1, 18)) for _ in rows]
    tokens = [random.choice([0, random.randrange(1, 10 ** random.randrange(1, 12))]) for _ in rows]
    prices = OwnPrices(
        {name: [cell[position] for cell in cells] for position, name in enumerate(NAMES)},
        np.array([day for day, _ in rows], np.int64),
        np.array([cell for _, cell in rows], np.int64),
        exact(amounts),
        exact([count * UNIT for count in tokens]),
    )
    for found, ordinary in ((prices.uncached(), uncached), (prices.unbatched(), unbatched)):
        shown = zip(found.known.tolist(), found.whole.tolist(), found.units.tolist(), strict=True)
        for row, (is_known, whole, units) in enumerate(shown):
            expected = None
            if (wanted := ordinary(cells[rows[row][1]])) is not None and tokens[row] and amounts[row]:
                expected = cost_at(wanted, cells, rows, amounts, tokens, row)
            assert (whole * UNIT + units if is_known else None) == expected


def uncached(cell: Cell) -> Cell | None:
    kind = cell[-1] or ""
    return (*cell[:-1], kind.removesuffix("cached input") + "input") if kind.endswith("cached input") else None


def unbatched(cell: Cell) -> Cell | None:
    return (*cell[:-2], "false", cell[-1]) if cell[-2] == "true" else None


def cost_at(
    wanted: Cell,
    cells: list[Cell],
    rows: list[tuple[int, int]],
    amounts: list[int],
    tokens: list[int],
    row: int,
) -> int | None:
    """Return what the tokens of a row would have cost at the price of other rows of its day, rounded towards 0."""
    same = [
        other
        for other, (day, cell) in enumerate(rows)
        if day == rows[row][0] and cells[cell] == wanted and tokens[other] and amounts[other]
    ]
    total, used = sum(amounts[other] for other in same), sum(tokens[other] for other in same)
    if not used:
        return None
    return (-1 if total < 0 else 1) * (tokens[row] * abs(total) // used)
