"""Random organizations: under every grouping and filter, spend adds up to the bill, to the last digit."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from random import Random

import pytest

from tests.rigs.billed_batches import DAY
from tests.rigs.bills import FIRST, Bill, random_bill
from tests.rigs.sessions import sums
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.catalog import SPEND
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.store import Store

WHO = ("project_id", "user_id", "api_key_id")
ALL_USAGE = (*WHO, "model", "batch", "service_tier")
GRAINS = (
    (WHO, ALL_USAGE),
    (("project_id",), ALL_USAGE),
    (("user_id",), ALL_USAGE),
    ((), ALL_USAGE),
    (WHO, ("project_id", "model")),
    (("project_id", "user_id"), ("project_id", "api_key_id", "model")),
)
GROUPED = tuple(item.name for item in SPEND.dimensions)


def spend_of(bill: Bill, **fields: object) -> ViewState:
    start, end = (datetime.fromtimestamp(FIRST + day * DAY, UTC).replace(tzinfo=None) for day in (0, bill.days))
    view = ViewState(dataset_name="spend", range=DateRange(None, start, end), grouping=(), columns=("amount",))
    for name, value in fields.items():
        view = view.with_filter(value) if isinstance(value, Filter) else view
        view = view.with_grouping(value) if name == "grouping" and isinstance(value, tuple) else view
    return view


@contextmanager
def session_of(bill: Bill, costs: Sequence[str], usage: Sequence[str], random: Random) -> Iterator[StoreSession]:
    store = Store.open(None)
    fetched_at = FIRST + (bill.days + 10) * DAY
    store.put(bill.costs_batch(costs, random), fetched_at)
    store.put(bill.usage_batch(usage, random), fetched_at)
    session = StoreSession(store, clock=lambda: fetched_at)
    try:
        yield session
    finally:
        session.close()


def rows_of(session: StoreSession, view: ViewState) -> dict[tuple[object, ...], Decimal]:
    if not view.grouping:
        return {(): total_of(session, view)}
    return {key: amount or Decimal() for key, amount in sums(session.look(view), "amount").items()}


def total_of(session: StoreSession, view: ViewState) -> Decimal:
    """Return the total that the window shows."""
    column = session.look(view).table.by_name["amount"]
    assert isinstance(column, FigureColumn)
    return Decimal(column.total or 0)


def check_random(seed: int) -> None:
    random = Random(seed)
    bill = random_bill(random)
    costs, usage = random.choice(GRAINS)
    groupings = [(), *(tuple(random.sample(GROUPED, random.randrange(1, 4))) for _ in range(3))]
    dimension = random.choice(GROUPED)
    with (
        localcontext(prec=100),
        session_of(bill, costs, usage, random) as session,
        session_of(bill, costs, usage, random) as shuffled,
    ):
        assert total_of(session, spend_of(bill)) == bill.total
        values = session.values("spend", dimension)
        chosen = frozenset(random.sample(values, random.randrange(len(values) + 1)))
        kept, left = (Filter(dimension, chosen, exclude=exclude) for exclude in (False, True))
        for grouping in groupings:
            rows = rows_of(session, spend_of(bill, grouping=grouping))
            assert sum(rows.values(), Decimal()) == bill.total
            assert rows == rows_of(shuffled, spend_of(bill, grouping=grouping))
            both = [total_of(session, spend_of(bill, grouping=grouping, chosen=one)) for one in (kept, left)]
            assert sum(both, Decimal()) == bill.total
        if costs == WHO and usage == ALL_USAGE:
            check_truth(session, bill)


def check_truth(session: StoreSession, bill: Bill) -> None:
    """With every dimension granted, each part is what it really cost, within a unit for each row of usage.

    A line item whose price no day tells is left out: its batches are billed at an assumed factor.
    """
    truth: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for (_, *who, model, batch, kind), amount in bill.truth.items():
        truth[*who, model, batch, kind] += amount
    grouping = (*WHO, "model", "batch", "token_kind", "attribution")
    found: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    assumed = set[tuple[object, ...]]()
    for (*key, attribution), amount in rows_of(session, spend_of(bill, grouping=grouping)).items():
        found[*key] += amount
        if attribution == "assumed_factor":
            assumed.add((key[3], key[5]))
    for part, amount in truth.items():
        if (part[3], part[5]) not in assumed:
            assert abs(found[part] - amount) <= Decimal("1e-12") * len(bill.used), part


@pytest.mark.parametrize("seed", range(100))
def test_random_spend_adds_up(seed: int) -> None:
    check_random(seed)


@pytest.mark.fuzz
def test_random_spend_adds_up_1000_times() -> None:
    for seed in range(1000, 2000):
        check_random(seed)
