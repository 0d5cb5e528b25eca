"""Days of spend are kept, computed again after a change, compared with the bill, and left out if they differ."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, localcontext
from random import Random

import numpy as np
import pytest

from tests.rigs.billed_batches import DAY
from tests.rigs.bills import FIRST, Bill, Cost, Used, batch_of, random_bill
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import Cancelled
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store import Store
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.spend import spend_store
from usage_viewer.store.spend.attribution import DayCosts, Indexes
from usage_viewer.store.spend.day_layout import day_layouts, services_of
from usage_viewer.store.spend.line_meanings import day_costs
from usage_viewer.store.spend.spend_store import SpendStore
from usage_viewer.store.spend.spend_writer import AttributedDays, attribute_days, write_days

ALL_COSTS = ("project_id", "user_id", "api_key_id")
ALL_USAGE = (*ALL_COSTS, "model", "batch", "service_tier")
FETCHED = FIRST + 30 * DAY
STARTS = FIRST + np.arange(4, dtype=np.int64) * DAY


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    """Add decimals exactly."""
    with localcontext(prec=100):
        yield


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store.open(None)
    yield store
    store.close()


def four_days(seed: int = 0) -> Bill:
    return next(bill for bill in map(random_bill, map(Random, range(seed, 10**6))) if bill.days == 4)


def put(store: Store, bill: Bill, *, costs: bool = True, usage: bool = True) -> None:
    if usage:
        store.put(bill.usage_batch(ALL_USAGE, Random(1)), FETCHED)
    if costs:
        store.put(bill.costs_batch(ALL_COSTS, Random(1)), FETCHED)


def update(spend: SpendStore, cancel: Cancellation | None = None) -> frozenset[int]:
    return spend.update(STARTS, STARTS, ["completions"], cancel)


def amounts(store: Store, *dimensions: str) -> dict[tuple[str | None, ...], Decimal]:
    listed = ", ".join(dimensions)
    with store.database.cursor() as cursor:
        rows = cursor.execute(
            f"SELECT {listed}, sum(amount) FROM usage_spend_1d"
            " JOIN combination_spend AS cell ON cell.id = combination"
            " GROUP BY ALL"
        ).fetchall()
    return {tuple(row[:-1]): row[-1] for row in rows}


def bill_total(bill: Bill) -> Decimal:
    return sum((cost.amount for cost in bill.costs), Decimal())


def test_restated_costs_replace_the_parts_of_their_day(store: Store) -> None:
    bill, spend = four_days(), SpendStore(store)
    put(store, bill)
    assert not update(spend)
    assert sum(amounts(store, "line_item").values()) == bill_total(bill)
    first = store.changes("spend")
    restated = replace(bill, costs=[replace(cost, amount=cost.amount * 3) for cost in bill.costs])
    put(store, restated, usage=False)
    assert not update(spend)
    assert sum(amounts(store, "line_item").values()) == bill_total(restated) == bill_total(bill) * 3
    assert store.changes("spend") > first
    store.check()


def test_usage_that_arrives_later_replaces_the_residual(store: Store) -> None:
    bill, spend = four_days(), SpendStore(store)
    put(store, replace(bill, used=[]))
    update(spend)
    without = amounts(store, "reason")
    assert ("usage_missing",) in without or ("unrecognised",) in without
    put(store, bill, costs=False)
    update(spend)
    after = amounts(store, "reason")
    assert ("usage_missing",) not in after
    assert sum(after.values()) == sum(without.values()) == bill_total(bill)
    assert after[None,] > without.get((None,), Decimal())


def test_unchanged_days_are_not_written_again(store: Store) -> None:
    bill = four_days()
    put(store, bill)
    update(SpendStore(store))
    changes = store.changes("spend")
    assert not update(SpendStore(store)), "as after a restart"
    put(store, bill)
    assert not update(SpendStore(store)), "fetched again, with the same figures"
    assert store.changes("spend") == changes


def test_currencies_are_kept_apart(store: Store) -> None:
    bill, spend = four_days(), SpendStore(store)
    names = [item.name for item in DATASETS["costs"].dimensions]
    rows = []
    for number, cost in enumerate(bill.costs):
        values = {**vars(cost), "currency": "eur" if number % 3 else "usd", "api_source": f"source_{number}"}
        cell = tuple(values[name] for name in names)
        rows.append((cost.day, cell, {"amount": cost.amount, "quantity": cost.quantity}))
    put(store, bill, costs=False)
    store.put(batch_of("costs", 4, DATASETS["costs"].group_by, rows, Random(2)), FETCHED)
    assert not update(spend)
    sums = amounts(store, "currency")
    assert sums["usd",] == sum(cost.amount for number, cost in enumerate(bill.costs) if not number % 3)
    assert sums["eur",] == sum(cost.amount for number, cost in enumerate(bill.costs) if number % 3)


def test_negative_totals_are_split_exactly(store: Store) -> None:
    bill, spend = four_days(), SpendStore(store)
    negative = replace(bill, costs=[replace(cost, amount=-cost.amount) for cost in bill.costs])
    put(store, bill)
    update(spend)
    positive = amounts(store, "user_id", "model", "batch")
    put(store, negative, usage=False)
    update(spend)
    assert sum(amounts(store, "line_item").values()) == -bill_total(bill)
    same = amounts(store, "user_id", "model", "batch")
    assert {key: -amount for key, amount in same.items() if key[1]} == {k: v for k, v in positive.items() if k[1]}


def test_day_that_does_not_add_up_is_not_stored(store: Store) -> None:
    """A line item without a meaning has no parts, so its day does not add up."""
    bill = four_days()
    extra = Cost(2, "proj_0", None, None, "a line that nobody knows", None, Decimal("7.5"), None)
    put(store, replace(bill, costs=[*bill.costs, extra]))
    layout = day_layouts(store, ["completions"], STARTS)[int(STARTS[0])]
    assert services_of(layout)[0].service == "costs"
    days = day_costs(STARTS.tolist(), layout, bill.meanings.values(), bill.factors)
    with store.database.cursor() as cursor:
        attributed = attribute_days(cursor, store.index, days)
    with store.replacing("spend") as cursor:
        signatures = {start: f"signature {start}" for start in STARTS.tolist()}
        write_days(cursor, store.index("spend"), attributed, signatures)
    wrong = attributed.wrong
    assert wrong == {int(STARTS[2])}
    held = store.stored_buckets("spend")[BucketWidth.DAY].starts
    assert held.tolist() == [start for start in STARTS.tolist() if start not in wrong]
    with store.database.cursor() as cursor:
        assert len(cursor.execute("SELECT * FROM attributed").fetchall()) == 3
    store.check()
    assert not update(SpendStore(store)), "with all meanings, every day adds up"
    assert sum(amounts(store, "line_item").values()) == bill_total(bill) + Decimal("7.5")


def test_costs_that_change_during_the_computation_are_attributed_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill, spend = four_days(), SpendStore(store)
    restated = replace(bill, costs=[replace(cost, amount=cost.amount * 3) for cost in bill.costs])
    put(store, bill)

    def changes_afterwards(cursor: Connection, indexes: Indexes, days: DayCosts) -> AttributedDays:
        attributed = attribute_days(cursor, indexes, days)
        put(store, restated, usage=False)
        put(store, bill, usage=False)  # as it was: the digests are equal again
        return attributed

    with monkeypatch.context() as patch:
        patch.setattr(spend_store, "attribute_days", changes_afterwards)
        assert not update(spend)
    assert not store.stored_buckets("spend")
    put(store, restated, usage=False)
    assert not update(spend)
    assert sum(amounts(store, "line_item").values()) == bill_total(restated)
    store.check()


@pytest.mark.parametrize("price", [10**13, 10**3])
def test_saving_that_is_too_large_to_store_is_not_known(store: Store, price: int) -> None:
    """At such a price of a token, 10^12 cached tokens have saved more than 14 digits can tell."""
    cells = ("proj_0", None, None)
    used = Used(0, *cells, "gpt-6-astra", "false", None, {"input": 1, "cached input": 10**12, "output": 0})
    lines = (("input", Decimal(price), 1), ("cached input", Decimal("0.01"), 10**12))
    costs = [
        Cost(0, *cells, f"gpt-6-astra, {kind}", "tokens", amount, Decimal(quantity))
        for kind, amount, quantity in lines
    ]
    put(store, Bill(used=[used], costs=costs, days=4))
    assert not update(SpendStore(store))
    with store.database.cursor() as cursor:
        rows = cursor.execute("SELECT sum(amount), count(saved_by_cache) FROM usage_spend_1d").fetchall()
    assert rows == [(price + Decimal("0.01"), 0)]


def test_cancelled_update_leaves_the_old_state(store: Store) -> None:
    bill, spend = four_days(), SpendStore(store)
    put(store, bill)
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        update(spend, cancellation)
    assert not store.stored_buckets("spend")
    update(spend)
    assert sum(amounts(store, "line_item").values()) == bill_total(bill)


def test_order_of_arrival_does_not_matter(store: Store) -> None:
    bill = four_days(7)
    put(store, bill)
    update(SpendStore(store))
    other = Store.open(None)
    try:
        for random in (Random(5), Random(6)):
            other.put(bill.costs_batch(ALL_COSTS, random), FETCHED)
            other.put(bill.usage_batch(ALL_USAGE, random), FETCHED)
        update(SpendStore(other))
        names = [item.name for item in DATASETS["spend"].dimensions]
        assert amounts(other, "bucket", *names) == amounts(store, "bucket", *names)
    finally:
        other.close()
