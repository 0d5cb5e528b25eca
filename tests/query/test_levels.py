"""Tests levels over time against plain Python, in zones that need buckets of days, hours or minutes."""

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
    """Store four days in buckets of each width; returns the session and the level of each project.

    Each width has its own random levels: those of a day don't follow from its hours.
    """
    store, all_levels = Store.open(None), Levels()
    start, end = moment(date(2026, 10, 24)), moment(date(2026, 10, 28))
    for width in BucketWidth:
        levels = all_levels[width] = {
            at: {name: random.randrange(10**12) for name in "abc" if random.random() < 0.8}
            for at in range(start, end, width.seconds * (5 if width is BucketWidth.MINUTE else 1))
        }
        rows = [(at, name, level) for at, projects in levels.items() for name, level in projects.items()]
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
    return StoreSession(store, clock=lambda: float(NOW)), all_levels


def test_levels_over_time_equal_plain_python() -> None:
    random = Random(5)
    session, all_levels = level_session(random)
    columns = ("usage_bytes", "usage_bytes_mean", "usage_bytes_peak")
    widths_read = set()
    for _ in range(120):
        zone = random.choice(("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"))
        first = date(2026, 10, 25)
        days = DateRange.days(first, first + timedelta(days=random.randint(0, 1)))
        per = random.choice([Granularity.HOUR, Granularity.DAY, Granularity.MONTH, Granularity.TOTAL])
        grouping = random.choice([(), ("project_id",)])
        look = session.look(ViewState("vector_stores", days, per, grouping, columns=columns, zone=zone))
        span, bounds = look.coverage.periods.span, look.coverage.periods.bounds
        (width,) = {segment.width for segment in look.coverage.read}
        widths_read.add(width)
        levels = all_levels[width]
        sums: dict[tuple[object, ...], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        buckets: dict[object, list[int]] = defaultdict(list)
        # Buckets after the last one with a figure don't count.
        last_start = max(at for at, projects in levels.items() if projects and span.start <= at < span.end)
        for at in range(span.start, last_start + 1, width.seconds):
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
        totals_by_bucket = [
            sum(levels.get(at, {}).values()) for at in range(span.start, last_start + 1, width.seconds)
        ]
        totals = {column.name: column.total for column in look.table.figures}
        assert totals[columns[1]] == sum(totals_by_bucket) / len(totals_by_bucket)
        assert totals[columns[2]] == max(totals_by_bucket)
    assert widths_read == set(BucketWidth)
    session.close()
