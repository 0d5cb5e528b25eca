"""Answers questions about a bill from a fresh start, in at most six actions each, with figures that are right."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests.gui.window.test_ten_tasks import CONTROL, Person
from tests.rigs.window import TIMEOUT, Oracle, User, WindowRig
from usage_viewer.domain.column_key import ChangeKind, ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD
from usage_viewer.gui.verification.record_dialog import RecordDialog
from usage_viewer.query.unusual_days import WEEKS, UnusualDay

MOST = 6
CHANGE = ColumnKey("amount", change=ChangeKind.AMOUNT)


@pytest.fixture
def person(rig: WindowRig, user: User) -> Person:
    """Start on the last Saturday: on a Monday, this week has no day that has ended."""
    now = datetime.fromtimestamp(rig.clock.now, UTC)
    saturday = now - timedelta(days=(now.weekday() - 5) % 7)
    rig.clock.now = saturday.replace(hour=12, minute=0).timestamp()
    window = rig.start()
    window.resize(1204, 740)
    return Person(rig, user, window)


def unusual_days(person: Person) -> list[UnusualDay]:
    """Open the list of unusual days by its key."""
    with person.rig.qtbot.waitSignal(person.window.parts.unusual.listed, timeout=TIMEOUT) as opened:
        person.key(Qt.Key.Key_U, settles=False)
    dialog: Any = opened.args[0] if opened.args else None
    assert isinstance(dialog, RecordDialog)
    dialog.reject()
    return list(dialog.model.rows)


def test_who_spiked_this_week(person: Person, oracle: Oracle) -> None:
    person.chip("user_id")
    person.chip("model")
    person.range(Preset.THIS_WEEK)
    days = unusual_days(person)
    assert len(person.actions) <= MOST, person.actions
    assert days
    week = person.window.view.range.resolve(int(person.rig.clock()), UTC)
    first = datetime.fromtimestamp(week.start, UTC).replace(tzinfo=None)
    last = datetime.fromtimestamp(person.rig.clock(), UTC).replace(tzinfo=None)
    range_ = DateRange.days((first - timedelta(weeks=WEEKS)).date(), last.date())
    view = ViewState(range=range_, per=Granularity.DAY, grouping=("user_id",))
    used = {key: figures["input_tokens"] or 0 for key, figures in oracle.sums(view).items()}
    for day in days:
        ((_, who, _),) = day.groups
        earlier = [used.get((day.day - number * 7 * 86400, who), 0) for number in range(1, WEEKS + 1)]
        assert week.start <= day.day < week.end
        assert (day.actual, day.expected) == (used[day.day, who], int(median(earlier)))
    assert [day.above for day in days] == sorted((day.above for day in days), reverse=True)


def test_what_moved_since_last_month_and_was_it_price_or_volume(person: Person, oracle: Oracle) -> None:
    person.key(Qt.Key.Key_3)
    assert len(person.actions) <= MOST, person.actions
    view, table = person.window.view, person.window.page.model.table
    assert view.compare is Comparison.MONTH
    today = datetime.fromtimestamp(person.rig.clock(), UTC).date()
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    same_days = DateRange.days(before, min(before + (today - month), month - timedelta(days=1)))
    costs = ViewState("costs", DateRange(Preset.THIS_MONTH), grouping=())
    this, other = (oracle.totals(item)["amount"] for item in (costs, costs.with_range(same_days)))
    moved = Decimal(str(this)) - Decimal(str(other))
    assert abs(Decimal(table.figure(CHANGE).total or 0) - moved) < Decimal("0.000001")
    parts = (ChangeKind.VOLUME, ChangeKind.PRICE, ChangeKind.NEW, ChangeKind.GONE, ChangeKind.UNSPLIT)
    columns = [table.find_figure(ColumnKey("amount", change=kind)) for kind in parts]
    split = sum(Decimal(column.total or 0) for column in columns if column is not None)
    assert abs(split - moved) < Decimal("0.000001")
    assert f"Change of {moved:+,.2f} USD: volume " in person.window.page.notes.text
    first = table.figure(CHANGE).figures.at(int(person.window.page.model.rows[0]))
    assert first == max(value for value in table.figure(CHANGE).figures.listed() if value is not None)


def test_which_keys_cache_the_least(person: Person, oracle: Oracle) -> None:
    person.key(Qt.Key.Key_4, CONTROL)
    assert len(person.actions) <= MOST, person.actions
    model = person.window.page.model
    sums = oracle.sums(ViewState(grouping=("api_key_id",)))
    shares = {
        key: (one["input_cached_tokens"] or 0) / one["input_tokens"]
        for (key,), one in sums.items()
        if one["input_tokens"]
    }
    first = model.table.by_name["api_key_id"].value(int(model.rows[0]))
    assert shares[first] == min(shares.values())


def test_tokens_per_project_with_months_as_columns(person: Person, oracle: Oracle) -> None:
    person.chip("project_id")
    person.chip("model")
    person.range(Preset.THIS_YEAR)
    person.per(Granularity.MONTH)
    pivot = person.window.page.pivot
    person.act("columns Periods", lambda: person.choose(pivot, pivot.menu_actions[PERIOD]))
    assert len(person.actions) <= MOST, person.actions
    flat = ViewState(
        range=DateRange(Preset.THIS_YEAR),
        per=Granularity.MONTH,
        grouping=("project_id",),
        columns=("input_tokens",),
    )
    expected = {key: figures["input_tokens"] for key, figures in oracle.sums(flat).items()}
    table = person.window.page.model.table
    project = table.groups[0]
    found = {
        (column.key.period, project.value(row)): number
        for column in table.figures
        if column.key.period is not None
        for row, number in enumerate(column.figures.listed())
        if number is not None
    }
    assert found == expected
    assert table.figures[-1].total == sum(number or 0 for number in expected.values())
