"""What usage costs."""

from decimal import Decimal

import numpy as np
import pytest

from usage_viewer.demo.bill import PLACES, Bill, decimal_text
from usage_viewer.demo.combinations import make_combinations
from usage_viewer.demo.directory import make_directory
from usage_viewer.demo.hours import Hours
from usage_viewer.demo.rhythm import DAY, Events
from usage_viewer.domain.datasets import DATASETS

COMPLETIONS = make_combinations(DATASETS["completions"], make_directory(1), 1, 120, 15.0)


@pytest.mark.parametrize(
    ("units", "text"),
    [(0, "0"), (1, "0.0000000001"), (-25_000_000_000, "-2.5"), (30_000_000_000, "3"), (1_2345_000_000, "1.2345")],
)
def test_decimals_are_exact_and_short(units: int, text: str) -> None:
    assert decimal_text(units) == text
    assert Decimal(text) == Decimal(units).scaleb(-PLACES)


def test_every_token_is_billed_once_at_its_price(now: int) -> None:
    usage = Hours(COMPLETIONS, 1, Events(now))
    bill = Bill(usage)
    day = now // DAY * DAY - 3 * DAY
    tokens = usage.window(day, day + DAY)
    costs = bill.window(day, day + DAY)
    used = sum(int(values.sum()) for name, values in tokens.metrics.items() if name != "num_model_requests")
    assert int(costs.metrics["quantity"].sum()) == used * 10**PLACES

    names = [dimension.name for dimension in DATASETS["costs"].dimensions]
    item = np.array([bill.values[number][names.index("line_item")] for number in costs.combination])
    mine = item == "o5-mini, output_tokens"
    assert mine.any()
    by_price = costs.metrics["amount"][mine] * 1_000_000 / costs.metrics["quantity"][mine]
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
