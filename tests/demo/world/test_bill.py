"""Tests the generated costs."""

from decimal import Decimal

import numpy as np
import pytest

from usage_viewer.demo.world.bill import PLACES, Bill, decimal_text
from usage_viewer.demo.world.combinations import Combinations, make_combinations
from usage_viewer.demo.world.directory import make_directory
from usage_viewer.demo.world.hours import HourlyUsage
from usage_viewer.demo.world.rhythm import DAY, Events
from usage_viewer.demo.world.rows import UsageRows
from usage_viewer.domain.catalog import API_DATASETS

COMPLETIONS = make_combinations(API_DATASETS["completions"], make_directory(1), 1, 120, 15.0)


@pytest.mark.parametrize(
    ("metric", "units", "text"),
    [
        ("amount", 0, "0"),
        ("amount", 1, "0.0000000001"),
        ("amount", -25_000_000_000, "-2.5"),
        ("amount", 30_000_000_000, "3"),
        ("amount", 1_2345_000_000, "1.2345"),
        ("quantity", 1200, "1200"),
        ("quantity", 0, "0"),
    ],
)
def test_decimal_text_is_exact_without_trailing_zeros(metric: str, units: int, text: str) -> None:
    assert decimal_text(metric, units) == text
    assert Decimal(text) == Decimal(units).scaleb(-PLACES[metric])


def test_each_token_is_billed_once_at_its_price(now: int) -> None:
    usage = HourlyUsage(COMPLETIONS, 1, Events(now))
    bill = Bill(usage)
    day = now // DAY * DAY - 3 * DAY
    tokens = usage.window(day, day + DAY)
    costs = bill.window(day, day + DAY)
    used = sum(int(values.sum()) for name, values in tokens.metrics.items() if name != "num_model_requests")
    assert int(costs.metrics["quantity"].sum()) == used

    names = [dimension.name for dimension in API_DATASETS["costs"].dimensions]
    item = np.array([bill.values[number][names.index("line_item")] for number in costs.combination])
    item_rows = item == "o5-mini, output_tokens"
    assert item_rows.any()
    prices = (
        costs.metrics["amount"][item_rows]
        * 1_000_000
        / costs.metrics["quantity"][item_rows]
        / 10 ** PLACES["amount"]
    )
    assert set(np.round(prices, 6).tolist()) <= {4.4, 2.2}  # dollars for a million tokens; half in a batch


def test_each_day_has_one_credit_without_a_quantity(now: int) -> None:
    bill = Bill(HourlyUsage(COMPLETIONS, 1, Events(now)))
    day = now // DAY * DAY - 3 * DAY
    costs = bill.window(day, day + 2 * DAY)
    credits = costs.metrics["amount"] < 0
    assert credits.sum() == 2
    values = bill.values[costs.combination[credits][0]]
    assert values[0] is None
    assert values[-2:] == ("usd", None)


def test_billions_of_tokens_are_billed_exactly(now: int) -> None:
    usage = HourlyUsage(COMPLETIONS, 1, Events(now))
    day = now // DAY * DAY - 3 * DAY
    rows = usage.window(day, day + DAY)
    some = {name: np.full(len(rows), 5_000_000_000, np.int64) for name in rows.metrics}
    usage_of_billions = GivenUsage(COMPLETIONS, 1, Events(now), UsageRows(rows.at, rows.combination, some))
    costs = Bill(usage_of_billions).window(day, day + DAY)
    tokens = costs.metrics["quantity"][costs.metrics["amount"] >= 0]
    assert set(tokens.tolist()) == {5_000_000_000, 10_000_000_000}


class GivenUsage(HourlyUsage):
    """Returns given rows instead of generated ones."""

    def __init__(self, combinations: Combinations, seed: int, events: Events, rows: UsageRows) -> None:
        super().__init__(combinations, seed, events)
        self._rows = rows

    def window(self, start: int, end: int) -> UsageRows:
        return self._rows
