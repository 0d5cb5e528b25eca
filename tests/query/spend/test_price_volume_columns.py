"""Tests that volume, price, new and gone add up to the change of each line item and of the total, exactly."""

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from tests.rigs.charts import combination
from tests.rigs.usage import Row, Usage
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.column_key import ChangeKind, ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.query.spend.price_volume import sum_differences
from usage_viewer.query.spend.price_volume_columns import SHOW_QUANTITY, bill_differences
from usage_viewer.store import Store

START, DAY, DAYS = 1_767_225_600, 86400, 60  # 2026-01-01 UTC
FIRST = datetime(2026, 1, 1)
PARTS = (ChangeKind.VOLUME, ChangeKind.PRICE, ChangeKind.NEW, ChangeKind.GONE, ChangeKind.UNSPLIT)
LAST_WEEK = ViewState(
    "costs",
    DateRange(None, FIRST + timedelta(days=7), FIRST + timedelta(days=14)),
    grouping=("line_item",),
    columns=("amount", "quantity"),
    compare=Comparison.PREVIOUS,
)


def bill(seed: int) -> Usage:
    """Return costs of line items that come and go, with prices that change and credits without a quantity."""
    random = Random(seed)
    usage = Usage("costs", BucketWidth.DAY, [START + day * DAY for day in range(DAYS)])
    prices = [Decimal(random.randrange(1, 10**6)).scaleb(-9) for _ in range(8)]
    for start in usage.starts:
        for line in random.sample(range(8), random.randrange(6)):
            if random.random() < 0.05:
                prices[line] = Decimal(random.randrange(1, 10**6)).scaleb(-9)
            quantity = random.choice([0, random.randrange(10**9)])
            unit = "1000_tokens" if line < 6 else "duration_seconds"
            key = combination("costs", line_item=f"m{line}", currency="usd", quantity_unit=unit)
            usage.rows.append(Row(start, key, {"amount": prices[line] * quantity, "quantity": Decimal(quantity)}))
        if random.random() < 0.1:
            credit = Decimal(random.randrange(-(10**6), 0)).scaleb(-2)
            key = combination("costs", line_item="credit", currency="usd")
            usage.rows.append(Row(start, key, {"amount": credit}))
    return usage


def open_session(usage: Usage) -> StoreSession:
    store = Store.open(None)
    store.put(usage.batch(), START + 300 * DAY)
    return StoreSession(store, clock=lambda: START + 300 * DAY)


def parts_of(table: Table) -> dict[ChangeKind, list[Decimal]]:
    """Return the columns of the parts that the table has; a missing number is 0."""
    columns = {kind: table.find_figure(ColumnKey("amount", change=kind)) for kind in PARTS}
    return {
        kind: [Decimal(value or 0) for value in column.figures.listed()]
        for kind, column in columns.items()
        if column is not None
    }


def check_table(table: Table) -> None:
    change = table.figure(ColumnKey("amount", change=ChangeKind.AMOUNT))
    changes = [Decimal(value or 0) for value in change.figures.listed()]
    differences = bill_differences(table)
    assert [item.total for item in differences] == list(map(Fraction, changes))
    assert sum_differences(differences).total == Fraction(Decimal(change.total or 0))
    parts = parts_of(table)
    assert [sum(amounts) for amounts in zip(*parts.values(), strict=True)] == changes
    totals = [table.figure(ColumnKey("amount", change=kind)).total for kind in parts]
    assert sum(Decimal(total or 0) for total in totals) == (change.total or 0)
    for kind, name in zip(PARTS, ("volume", "price", "new", "gone", "unsplit"), strict=True):
        exact = [getattr(item, name) for item in differences]
        shown = parts.get(kind, [Decimal()] * len(exact))
        assert all(
            abs(Fraction(one) - other) < Fraction(1, 10**11) for one, other in zip(shown, exact, strict=True)
        )


def check_pairs(seed: int, count: int) -> None:
    random = Random(seed)
    with closing(open_session(bill(seed))) as session:
        for _ in range(count):
            first = FIRST + timedelta(days=random.randrange(DAYS - 5))
            view = replace(
                LAST_WEEK,
                range=DateRange(None, first, first + timedelta(days=random.randrange(1, 30))),
                per=random.choice([Granularity.TOTAL, Granularity.TOTAL, Granularity.WEEK]),
                compare=random.choice([Comparison.PREVIOUS, Comparison.MONTH]),
            )
            table = session.look(view).table
            if table.rows:
                check_table(table)


@pytest.mark.parametrize("seed", range(5))
def test_parts_add_up_to_the_change(seed: int) -> None:
    check_pairs(seed, 12)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(20, 30))
def test_parts_of_a_thousand_pairs_add_up(seed: int) -> None:
    check_pairs(seed, 100)


def weeks(*rows: tuple[int, str, str, str | None]) -> StoreSession:
    """Open a session on rows of costs: the day, the line item, the amount and the quantity."""
    usage = Usage("costs", BucketWidth.DAY, [START + day * DAY for day in range(DAYS)])
    for day, line, amount, quantity in rows:
        key = combination("costs", line_item=line, currency="usd", quantity_unit=quantity and "1000_tokens")
        figures = {"amount": Decimal(amount), "quantity": None if quantity is None else Decimal(quantity)}
        usage.rows.append(Row(START + day * DAY, key, figures))
    return open_session(usage)


def test_parts_are_columns_and_a_sentence() -> None:
    rows = (
        (1, "a", "10", "100"),
        (8, "a", "24", "200"),
        (2, "old", "7", "70"),
        (9, "fresh", "3", "30"),
        (9, "credit", "-5", None),
    )
    with closing(weeks(*rows)) as session:
        result = session.look(LAST_WEEK)
    table = result.table
    places = {column.key: place for place, column in enumerate(table.columns)}
    lines = [table.groups[0].value(row) for row in range(table.rows)]
    parts = {kind: dict(zip(lines, amounts, strict=True)) for kind, amounts in parts_of(table).items()}
    assert parts[ChangeKind.VOLUME] == {"a": 10, "old": 0, "fresh": 0, "credit": 0}
    assert parts[ChangeKind.PRICE] == {"a": 4, "old": 0, "fresh": 0, "credit": 0}
    assert parts[ChangeKind.NEW] == {"a": 0, "old": 0, "fresh": 3, "credit": -5}
    assert parts[ChangeKind.GONE] == {"a": 0, "old": -7, "fresh": 0, "credit": 0}
    assert ChangeKind.UNSPLIT not in parts
    share = places[ColumnKey("amount", change=ChangeKind.SHARE)]
    assert [places[ColumnKey("amount", change=kind)] for kind in parts] == [share + 1 + place for place in range(4)]
    assert "Change of +5.00 USD: volume +10.00, price +4.00, new −2.00, gone −7.00." in result.notes


def test_quotient_without_an_end_is_rounded_and_the_price_has_the_rest() -> None:
    with closing(weeks((1, "a", "10", "3"), (8, "a", "10", "2"))) as session:
        parts = parts_of(session.look(LAST_WEEK).table)
    assert parts[ChangeKind.VOLUME] == [Decimal("-3.333333333333")]
    assert parts[ChangeKind.PRICE] == [Decimal("3.333333333333")]


def test_without_quantities_there_is_a_hint() -> None:
    with closing(weeks((1, "a", "10", "3"))) as session:
        result = session.look(replace(LAST_WEEK, columns=("amount",)))
        assert SHOW_QUANTITY in result.notes
        assert not parts_of(result.table)
        other = session.look(replace(LAST_WEEK, grouping=("project_id",), columns=("amount",)))
    assert SHOW_QUANTITY not in other.notes


def test_units_of_one_period_alone_group_both() -> None:
    rows = ((1, "a", "10", "100"), (8, "a", "24", "200"))
    with closing(weeks(*rows, (9, "b", "1", "10"))) as session:
        usage = Usage("costs", BucketWidth.DAY, [START + 9 * DAY])
        key = combination("costs", line_item="b", currency="usd", quantity_unit="images")
        usage.rows.append(Row(START + 9 * DAY, key, {"amount": Decimal(1), "quantity": Decimal(5)}))
        session._store.put(usage.batch(), START + 301 * DAY)
        table = session.look(LAST_WEEK).table
    assert [group.name for group in table.groups] == ["line_item", "quantity_unit"]
    check_table(table)
    assert table.figure(ColumnKey("quantity", change=ChangeKind.AMOUNT)).total is None
