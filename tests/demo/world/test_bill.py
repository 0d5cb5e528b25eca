"""What usage costs."""

from decimal import Decimal

import numpy as np
import pytest

from usage_viewer.demo.world.bill import PLACES, Bill, decimal_text
from usage_viewer.demo.world.combinations import Combinations, make_combinations
from usage_viewer.demo.world.directory import make_directory
from usage_viewer.demo.world.hours import Hours
from usage_viewer.demo.world.rhythm import DAY, Events
from usage_viewer.demo.world.rows import UsageRows
from usage_viewer.domain.catalog import DATASETS

COMPLETIONS = make_combinations(DATASETS["completions"], make_directory(1), 1, 120, 15.0)


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
def test_decimals_are_exact_and_short(metric: str, units: int, text: str) -> None:
    assert decimal_text(metric, units) == text
    assert Decimal(text) == Decimal(units).scaleb(-PLACES[metric])


def test_every_token_is_billed_once_at_its_price(now: int) -> None:
    usage = Hours(COMPLETIONS, 1, Events(now))
    bill = Bill(usage)
    day = now // DAY * DAY - 3 * DAY
    tokens = usage.window(day, day + DAY)
    costs = bill.window(day, day + DAY)
    used = sum(int(values.sum()) for name, values in tokens.metrics.items() if name != "num_model_requests")
    assert int(costs.metrics["quantity"].sum()) == used

    names = [dimension.name for dimension in DATASETS["costs"].dimensions]
    item = np.array([bill.values[number][names.index("line_item")] for number in costs.combination])
    mine = item == "o5-mini, output_tokens"
    assert mine.any()
    by_price = costs.metrics["amount"][mine] * 1_000_000 / costs.metrics["quantity"][mine] / 10 ** PLACES["amount"]
    assert set(np.round(by_price, 6).tolist()) <= {4.4, 2.2}  # dollars for a million; half in a batch


def test_each_day_has_one_credit_without_a_quantity(now: int) -> None:
    bill = Bill(Hours(COMPLETIONS, 1, Events(now)))
    day = now // DAY * DAY - 3 * DAY
    costs = bill.window(day, day + 2 * DAY)
    credits = costs.metrics["amount"] < 0
    assert credits.sum() == 2
    values = bill.values[costs.combination[credits][0]]
    assert values[0] is None
    assert values[-2:] == ("usd", None)


def test_billions_of_tokens_a_day_are_billed_to_the_last_one(now: int) -> None:
    usage = Hours(COMPLETIONS, 1, Events(now))
    day = now // DAY * DAY - 3 * DAY
    rows = usage.window(day, day + DAY)
    some = {name: np.full(len(rows), 5_000_000_000, np.int64) for name in rows.metrics}
    busy = Busy(COMPLETIONS, 1, Events(now), UsageRows(rows.at, rows.combination, some))
    costs = Bill(busy).window(day, day + DAY)
    tokens = costs.metrics["quantity"][costs.metrics["amount"] >= 0]
    assert set(tokens.tolist()) == {5_000_000_000, 10_000_000_000}


class Busy(Hours):
    """Usage that is given instead of drawn."""

    def __init__(self, combinations: Combinations, seed: int, events: Events, rows: UsageRows) -> None:
        super().__init__(combinations, seed, events)
        self._rows = rows

    def window(self, start: int, end: int) -> UsageRows:
        return self._rows
