"""Tests that unknown fields are listed, summed, grouped and filtered, in any zone."""

import json
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Context, Decimal, localcontext
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.rigs.looks import moment, shown
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.verification import cell_of
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

NOW = int(datetime(2027, 6, 1, tzinfo=UTC).timestamp())
DAY = 86400


def test_unknown_fields_are_figures_and_groups_in_any_zone() -> None:
    random, store, start = Random(9), Store.open(None), moment(date(2026, 10, 24))
    facts = [
        (start + hour * 3600, random.choice("ab"), random.choice(("eu", "us", None)), random.randrange(10**9))
        for hour in range(96)
        for _ in range(3)
    ]
    extra = {
        row: json.dumps({"credits": amount / 4, **({} if region is None else {"region/0": region})})
        for row, (_, _, region, amount) in enumerate(facts)
    }
    every = np.arange(start, start + 96 * 3600, 3600, dtype=np.int64)
    store.put(
        Batch(
            "code_interpreter_sessions",
            BucketWidth.HOUR,
            every,
            ("project_id",),
            [("a",), ("b",)],
            np.array([at for at, _, _, _ in facts], np.int64),
            np.array(["ab".index(name) for _, name, _, _ in facts], np.int32),
            {"num_sessions": NumberColumn(np.ones(len(facts), np.int64))},
            extra,
        ),
        NOW - DAY,
    )
    session = StoreSession(store, clock=lambda: float(NOW))
    chosen = DateRange.days(date(2026, 10, 25), date(2026, 10, 26))
    look = session.look(ViewState("code_interpreter_sessions", chosen, grouping=()))
    assert look.extras.figures == ("extra.credits",)
    assert look.extras.values == ("extra.region/0",)
    assert session.values("code_interpreter_sessions", "extra.region/0") == ("eu", "us", None)
    for zone in ("UTC", "Europe/Berlin"):
        view = ViewState(
            "code_interpreter_sessions",
            chosen,
            Granularity.DAY,
            ("extra.region/0", "project_id"),
            columns=("num_sessions", "extra.credits"),
            zone=zone,
        )
        look, tz = session.look(view), ZoneInfo(zone)
        expected: dict[tuple[object, ...], Any] = defaultdict(int)
        counts: dict[tuple[object, ...], int] = defaultdict(int)
        for at, name, region, amount in facts:
            wall = datetime.fromtimestamp(at, tz).date()
            if date(2026, 10, 25) <= wall <= date(2026, 10, 26):
                midnight = int(datetime(wall.year, wall.month, wall.day, tzinfo=tz).timestamp())
                expected[midnight, region, name] += Decimal(amount) / 4
                counts[midnight, region, name] += 1
        assert shown(look, "extra.credits") == expected
        assert shown(look, "num_sessions") == counts
        check_contributions(session, view)
        only = session.look(view.only("extra.region/0", "eu"))
        assert shown(only, "num_sessions") == {key: n for key, n in counts.items() if key[1] == "eu"}
    session.close()


def check_contributions(session: StoreSession, view: ViewState) -> None:
    """Check that the figures of each row are the sums of its buckets."""
    look = session.look(view)
    for row in range(look.table.rows):
        cell = cell_of(look.table, row)
        origins = session.contributions(look, cell, ("num_sessions", "extra.credits"))
        for place, column in enumerate(look.table.figures):
            figures = [figure for origin in origins if (figure := origin.figures[place]) is not None]
            assert sum(figures) == column.figures.at(row)


def one_row(extra: str | None, start: int) -> Batch:
    return Batch(
        "code_interpreter_sessions",
        BucketWidth.DAY,
        np.array([start], np.int64),
        ("project_id",),
        [("a",)],
        np.array([start], np.int64),
        np.array([0], np.int32),
        {"num_sessions": NumberColumn(np.array([1], np.int64))},
        {} if extra is None else {0: extra},
    )


def test_unknown_fields_remain_after_reopening_and_not_after_erasing(tmp_path: Path) -> None:
    path, start = tmp_path / "usage.duckdb", moment(date(2026, 10, 24))
    store = Store.open(path)
    store.put(one_row(None, start), NOW)
    store.put(one_row('{"it\'s":1,"mixed":2,"big":1e400}', start + DAY), NOW)
    store.put(one_row('{"mixed":"two","list":[1]}', start + 2 * DAY), NOW)
    fields = store.extras("code_interpreter_sessions")
    assert fields.figures == ("extra.big", "extra.it's")
    assert fields.values == ("extra.list", "extra.mixed")
    store.close()
    again = Store.open(path)
    assert again.extras("code_interpreter_sessions") == fields
    assert again.extras("completions").figures == ()
    assert again.values("code_interpreter_sessions", "extra.list") == ("[1]", None)
    again.erase()
    assert again.extras("code_interpreter_sessions").values == ()
    again.close()


FOUR_DAYS = DateRange.days(date(2026, 10, 24), date(2026, 10, 27))


def session_with(*texts: str) -> StoreSession:
    """Return a session with one row of these unknown fields on each day from the 24th."""
    store, start = Store.open(None), moment(date(2026, 10, 24))
    for day, text in enumerate(texts):
        store.put(one_row(text, start + day * DAY), NOW)
    return StoreSession(store, clock=lambda: float(NOW))


def summed(session: StoreSession, name: str) -> tuple[object, tuple[str, ...]]:
    """Return the sum of an unknown field in all rows, and the notes of the view."""
    look = session.look(ViewState("code_interpreter_sessions", FOUR_DAYS, grouping=(), columns=(name,)))
    total = look.table.figures[0].total
    contributions = session.contributions(look, cell_of(look.table, 0), (name,))
    figures = [item.figures[0] for item in contributions if item.figures[0] is not None]
    with localcontext(Context(prec=300)):
        assert (sum(figures) if figures else None) == total, "the buckets add up to the row"
    return total, look.notes


@pytest.mark.parametrize(
    ("numbers", "total"),
    [
        (["1000000000000000", "1"], "1000000000000001"),
        (["100000000000000", "1e0"], "100000000000001"),
        (["12345678901234567890123456789", "1"], "12345678901234567890123456790"),
        (["0.1234567890123456789012345", "0.0000000000000000000000001"], "0.1234567890123456789012346"),
        (["0.1", "0.2", "0.3"], "0.6"),
        (["1e60", "1e-60"], f"1{'0' * 60}.{'0' * 59}1"),
        (["-5", "5", "null"], "0"),
        (["9007199254740993", "-9007199254740992"], "1"),
    ],
)
def test_numbers_of_any_size_are_summed_exactly(numbers: list[str], total: str) -> None:
    session = session_with(*(f'{{"n":{number}}}' for number in numbers))
    assert summed(session, "extra.n") == (Decimal(total), ())
    session.close()


@pytest.mark.parametrize("value", ['"two"', '"2"', "true", "[1]", '{"a":1}', "1e400", "1e-400"])
def test_value_that_cannot_be_summed_is_said(value: str) -> None:
    session = session_with('{"n":2}', f'{{"n":{value}}}', '{"n":0.5}', '{"n":null}')
    total, notes = summed(session, "extra.n")
    assert total == Decimal("2.5")
    assert notes == ("n: 1 row has a value that can't be added up and is missing in the sums.",)
    session.close()


def test_unknown_field_without_any_value_is_missing() -> None:
    session = session_with('{"n":2}')
    assert summed(session, "extra.unknown") == (None, ())
    session.close()
