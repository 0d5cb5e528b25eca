"""Levels over time, in zones whose days are made of days, hours or minutes, against plain Python."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy as np

from tests.rigs.looks import moment, shown
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

NOW = int(datetime(2027, 6, 1, tzinfo=UTC).timestamp())
DAY = 86400


Levels = dict[BucketWidth, dict[int, dict[str, int]]]


def level_session(random: Random) -> tuple[StoreSession, Levels]:
    """Four days in buckets of each width, and what each project held in them. What a day's bucket says need not
    follow from its hours: the widths have figures of their own.
    """
    store, every = Store.open(None), Levels()
    start, end = moment(date(2026, 10, 24)), moment(date(2026, 10, 28))
    for width in BucketWidth:
        levels = every[width] = {
            at: {name: random.randrange(10**12) for name in "abc" if random.random() < 0.8}
            for at in range(start, end, width.seconds * (5 if width is BucketWidth.MINUTE else 1))
        }
        rows = [(at, name, level) for at, here in levels.items() for name, level in here.items()]
        store.put(
            Batch(
                "vector_stores",
                width,
                np.arange(start, end, width.seconds, dtype=np.int64),
                ("project_id",),
                [("a",), ("b",), ("c",)],
                np.array([at for at, _, _ in rows], np.int64),
                np.array(["abc".index(name) for _, name, _ in rows], np.int32),
                {"usage_bytes": NumberColumn(np.array([level for _, _, level in rows], np.int64))},
            ),
            NOW - DAY - width.seconds,
        )
    return StoreSession(store, clock=lambda: float(NOW)), every


def test_levels_over_time_are_the_last_the_mean_and_the_peak_of_their_sum() -> None:
    random = Random(5)
    session, every = level_session(random)
    columns = ("usage_bytes", "usage_bytes_mean", "usage_bytes_peak")
    used = set()
    for _ in range(120):
        zone = random.choice(("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"))
        first = date(2026, 10, 25)
        chosen = DateRange.days(first, first + timedelta(days=random.randint(0, 1)))
        per = random.choice([Granularity.HOUR, Granularity.DAY, Granularity.MONTH, Granularity.TOTAL])
        grouping = random.choice([(), ("project_id",)])
        look = session.look(ViewState("vector_stores", chosen, per, grouping, columns=columns, zone=zone))
        span, bounds = look.coverage.periods.span, look.coverage.periods.bounds
        (width,) = {segment.width for segment in look.coverage.read}
        used.add(width)
        levels = every[width]
        sums: dict[tuple[object, ...], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        buckets: dict[object, list[int]] = defaultdict(list)
        # Of the buckets after the last one with a figure nothing is known.
        told = max(at for at, here in levels.items() if here and span.start <= at < span.end)
        for at in range(span.start, told + 1, width.seconds):
            key = int(bounds[np.searchsorted(bounds, at, side="right") - 1])
            buckets[key].append(at)
            for name, level in levels.get(at, {}).items():
                sums[*(() if per is Granularity.TOTAL else (key,)), *((name,) if grouping else ())][at] += level
        within = {key: buckets[int(bounds[0]) if per is Granularity.TOTAL else key[0]] for key in sums}
        last = {key: series.get(within[key][-1]) for key, series in sums.items()}
        assert shown(look, columns[0]) == {key: level for key, level in last.items() if level is not None}
        assert shown(look, columns[2]) == {key: max(series.values()) for key, series in sums.items()}
        means = {key: sum(series.values()) / len(within[key]) for key, series in sums.items()}
        assert shown(look, columns[1]) == means
        whole = [sum(levels.get(at, {}).values()) for at in range(span.start, told + 1, width.seconds)]
        totals = {column.name: column.total for column in look.table.figures}
        assert totals[columns[1]] == sum(whole) / len(whole)
        assert totals[columns[2]] == max(whole)
    assert used == set(BucketWidth)
    session.close()
