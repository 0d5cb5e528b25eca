"""Tests that the shown cents of amounts add up to the shown total."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.rigs.tables import TableOf
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.columns import FigureColumn, GroupColumn
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.shown_amounts import RowIdentity, ShownAmounts

COSTS = DATASETS["costs"]
SHAPES = 10
"""Ways in which a random column is drawn."""


def _column(values: Sequence[Decimal | None]) -> NumberColumn:
    filled: NDArray[Any] = np.empty(len(values), np.object_)
    filled[:] = [Decimal(0) if value is None else value for value in values]
    missing = np.array([value is None for value in values], np.bool_)
    return NumberColumn(filled, missing if missing.any() else None)


def _identity(names: Sequence[str], currencies: Sequence[str]) -> RowIdentity:
    heads = []
    for dimension, values in (("line_item", names), ("currency", currencies)):
        distinct = tuple(dict.fromkeys(values))
        codes = np.array([distinct.index(value) for value in values], np.int32)
        heads.append(GroupColumn(COSTS.dimension(dimension), codes, distinct, distinct))
    return RowIdentity(heads)


def _random_amounts(random: np.random.Generator, shape: int) -> list[Decimal | None]:
    """Return amounts: small, huge, negative, equal, below a cent, exact cents, missing, with many digits."""
    count = int(random.integers(1, 60))
    places = (10, 2, 3, 12, 4, 25, 10, 6, 10, 1)[shape]
    largest = (10**12, 10**5, 9, 10**9, 10**16, 10**18, 10**6, 1, 10**18, 10**3)[shape]
    numbers = random.integers(-largest if shape % 2 else 0, largest, count, endpoint=True)
    amounts: list[Decimal | None] = [Decimal(int(number)).scaleb(-places) for number in numbers]
    if shape == 6:
        amounts = [amounts[0]] * count
    if shape == 8:
        amounts = [None if random.random() < 0.3 else amount for amount in amounts]
    return amounts


@pytest.mark.parametrize("shape", range(SHAPES))
def test_shown_amounts_of_random_columns_add_up_in_any_order(shape: int) -> None:
    random = np.random.default_rng(shape)
    for _ in range(100):  # 1,000 columns altogether
        amounts = _random_amounts(random, shape)
        names = [f"line {number}" for number in range(len(amounts))]
        currencies = random.choice(["usd", "eur", "gbp"], len(amounts)).tolist()
        unit_from = "currency" if random.random() < 0.5 else ""
        shown = ShownAmounts(_column(amounts), _identity(names, currencies), unit_from)
        _check_sums(shown, amounts, currencies if unit_from else ["usd"] * len(amounts))
        order = random.permutation(len(amounts))
        shuffled = ShownAmounts(
            _column([amounts[row] for row in order]),
            _identity([names[row] for row in order], [currencies[row] for row in order]),
            unit_from,
        )
        assert shuffled.units.tolist() == [shown.units.tolist()[row] for row in order]


def _check_sums(shown: ShownAmounts, amounts: Sequence[Decimal | None], currencies: Sequence[str]) -> None:
    unit, units = Decimal(1).scaleb(-shown.decimals), shown.units.tolist()
    with localcontext(prec=100):
        for currency in set(currencies):
            rows = [row for row in range(len(amounts)) if currencies[row] == currency]
            exact = sum((amounts[row] or Decimal(0) for row in rows), Decimal(0))
            assert sum(units[row] for row in rows) * unit == exact.quantize(unit, ROUND_HALF_EVEN)
        for amount, number in zip(amounts, units, strict=True):
            rounded = (amount or Decimal(0)).quantize(unit, ROUND_HALF_EVEN)
            assert abs(number * unit - (amount or 0)) < unit
            assert abs(number * unit - rounded) <= unit


def test_column_below_a_cent_has_two_digits_of_its_largest_amount() -> None:
    shown = ShownAmounts(_column([Decimal("0.0042"), Decimal("0.00311"), Decimal("-0.0000004")]))
    assert shown.decimals == 4
    assert shown.units.tolist() == [42, 31, 0]
    assert shown.more_decimals == 4
    assert ShownAmounts(_column([Decimal("0.0042"), Decimal("12.5")])).decimals == 2


def test_column_of_cents_needs_no_more_decimals() -> None:
    shown = ShownAmounts(_column([Decimal("10.333"), Decimal("10.333"), Decimal("10.334"), None]))
    assert (shown.units.tolist(), shown.more_decimals) == ([1033, 1033, 1034, 0], 0)
    assert ShownAmounts(_column([])).units.tolist() == []


def test_table_shows_amounts_that_a_reader_can_add(table_of: TableOf) -> None:
    table = table_of(
        "costs", line_item=["a", "b", "c"], amount=[Decimal("0.333"), Decimal("0.333"), Decimal("0.334")]
    )
    column = table.figure("amount")
    assert isinstance(column, FigureColumn)
    assert column.shown is not None
    assert column.shown.units.sum() == 100
