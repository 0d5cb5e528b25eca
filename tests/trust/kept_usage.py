"""A database of known usage, and whether what a file holds is exactly that: whole buckets, every row right."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.figures import Number
from usage_viewer.domain.names import Name
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store
from usage_viewer.store.engine.database import wal_path

DAY: Final = 86400
ANCHOR: Final = 1_793_491_200
"""2026-11-01 00:00 UTC."""

SETTLED: Final = ANCHOR + 30 * DAY
"""When everything of October 2026 is final."""

JUST_AFTER: Final = ANCHOR + 3600
"""When the last three days may still grow."""

PERIODS: Final = {BucketWidth.DAY: Granularity.DAY, BucketWidth.HOUR: Granularity.HOUR}

Rows = Mapping[tuple[object, ...], tuple[Number | None, ...]]
"""Of one bucket: the figures of each combination."""


@cache
def organization() -> SyntheticOrganization:
    return SyntheticOrganization(anchor=ANCHOR)


def first(days: int) -> int:
    """The beginning of the last `days` days."""
    return ANCHOR - days * DAY


@cache
def true_rows(dataset: str, width: BucketWidth, start: int) -> Rows:
    """What a bucket holds by the organization itself."""
    batch = organization().batch(dataset, start, start + width.seconds, width, SETTLED)
    figures = [column.listed() for column in batch.metrics.values()]
    return {
        batch.combinations[combination]: tuple(column[row] for column in figures)
        for row, combination in enumerate(batch.combination.tolist())
    }


def held_rows(session: StoreSession, dataset: str, width: BucketWidth, days: int) -> dict[int, Rows]:
    """What each bucket of the last `days` days shows, grouped by everything."""
    data = DATASETS[dataset]
    ends = (datetime.fromtimestamp(moment, UTC).replace(tzinfo=None) for moment in (first(days), ANCHOR))
    view = ViewState(
        dataset_name=dataset,
        range=DateRange(None, *ends),
        per=PERIODS[width],
        grouping=tuple(dimension.name for dimension in data.dimensions),
        columns=tuple(metric.name for metric in data.metrics),
    )
    buckets: dict[int, dict[tuple[object, ...], tuple[Number | None, ...]]] = {}
    for bucket, combination, figures in _rows(session.look(view).table):
        buckets.setdefault(bucket, {})[combination] = figures
    return dict(buckets)


def _rows(table: Table) -> Iterator[tuple[int, tuple[object, ...], tuple[Number | None, ...]]]:
    figures = list(zip(*(column.figures.listed() for column in table.figures), strict=True))
    groups = [column for column in table.heads if isinstance(column, GroupColumn)]
    period = next(column for column in table.heads if isinstance(column, PeriodColumn))
    for row in range(table.rows):
        combination = tuple(column.values[column.codes[row]] for column in groups)
        yield int(period.periods.bounds[period.index[row]]), combination, figures[row]


@dataclass(frozen=True)
class Kept:
    """`usage.duckdb` and its log, as bytes."""

    database: bytes
    log: bytes

    def put(self, path: Path) -> None:
        """In place of what is there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.iterdir():
            old.unlink()
        path.write_bytes(self.database)
        if self.log:
            wal_path(path).write_bytes(self.log)


def write(folder: Path) -> Kept:
    """A month by day, five days by hour, names; the costs are still in the log, as after a sudden end."""
    path = folder / "written" / "usage.duckdb"
    store = Store.open(path)
    store.put(organization().batch("completions", first(31), ANCHOR, BucketWidth.DAY, SETTLED), SETTLED)
    store.put(organization().batch("completions", first(5), ANCHOR, BucketWidth.HOUR, SETTLED), SETTLED)
    store.remember([Name("project", f"proj_{number}", f"Project {number}") for number in range(50)])
    store.close()
    store = Store.open(path)
    store.put(organization().batch("costs", first(31), ANCHOR, BucketWidth.DAY, SETTLED), SETTLED)
    kept = Kept(path.read_bytes(), wal_path(path).read_bytes())
    store.close()
    shutil.rmtree(path.parent)
    return kept


def check(session: StoreSession, store: Store, dataset: str, width: BucketWidth, days: int) -> int:
    """How many buckets of the last `days` days are held. Raises AssertionError unless each is whole and right."""
    held = store.stored_buckets(dataset).get(width)
    starts = [] if held is None else [int(start) for start in held.starts if start >= first(days)]
    shown = held_rows(session, dataset, width, days)
    for start in starts:
        assert shown.get(start, {}) == true_rows(dataset, width, start), f"{dataset} {width.value} {start}"
    # A finer width may answer for days that are not held as such; nothing else may be shown.
    finer = store.stored_buckets(dataset).get(BucketWidth.HOUR) if width is BucketWidth.DAY else None
    made_up = set() if finer is None else {int(start) // DAY * DAY for start in finer.starts}
    assert set(shown) <= {*starts, *made_up}
    return len(starts)


def examine(path: Path) -> str:
    """Uses the database in every way: "held …" if all that it tells is true, else the typed error's name.

    Raises AssertionError where a bucket that is held isn't whole or isn't right.
    """
    store: Store | None = None
    try:
        store = Store.open(path)
        session = StoreSession(store, clock=lambda: SETTLED)
        told = [check(session, store, *one) for one in WRITTEN]
        store.rows("completions")
        store.names()
        store.put(organization().batch("images", first(3), ANCHOR, BucketWidth.DAY, SETTLED), SETTLED)
        told.append(check(session, store, "images", BucketWidth.DAY, 3))
        store.close()
        return f"held {' '.join(map(str, told))}"
    except UsageViewerError as error:
        return type(error).__name__ if error.title and error.hint else "an error without words"
    finally:
        if store is not None:
            with suppress(UsageViewerError):
                store.close()


WRITTEN: Final = (
    ("completions", BucketWidth.DAY, 31),
    ("completions", BucketWidth.HOUR, 5),
    ("costs", BucketWidth.DAY, 31),
)


def main() -> None:
    """Examines each path that is read from standard input, and says what came of it."""
    for line in sys.stdin:
        print(examine(Path(line.strip())), flush=True)


if __name__ == "__main__":
    main()
