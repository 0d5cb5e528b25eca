"""Writes a database of known usage, and checks that a file has whole buckets with the right rows."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from tests.rigs.sample_organization import sample_organization
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import StoreError, UsageViewerError
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
"""A time (epoch seconds) at which all usage of October 2026 is final."""

JUST_AFTER: Final = ANCHOR + 3600
"""A time (epoch seconds) at which the last three days may still grow."""

PERIODS: Final = {BucketWidth.DAY: Granularity.DAY, BucketWidth.HOUR: Granularity.HOUR}

NAMES: Final = tuple(Name("project", f"proj_{number}", f"Project {number}") for number in range(50))

Rows = Mapping[tuple[object, ...], tuple[Number | None, ...]]
"""The figures of each combination in one bucket."""


@cache
def organization() -> SyntheticOrganization:
    return sample_organization(ANCHOR)


def first(days: int) -> int:
    """Return the start of the last `days` days (epoch seconds)."""
    return ANCHOR - days * DAY


@cache
def true_rows(dataset: str, width: BucketWidth, start: int) -> Rows:
    """Return the rows of a bucket as the synthetic organization has them."""
    batch = organization().batch(dataset, start, start + width.seconds, width, SETTLED)
    figures = [column.listed() for column in batch.metrics.values()]
    return {
        batch.combinations[combination]: tuple(column[row] for column in figures)
        for row, combination in enumerate(batch.combination.tolist())
    }


def shown_rows(session: StoreSession, dataset: str, width: BucketWidth, days: int) -> dict[int, Rows]:
    """Return the shown rows of each bucket in the last `days` days, grouped by all dimensions."""
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
class DatabaseFiles:
    """Holds the bytes of `usage.duckdb` and of its log."""

    database: bytes
    log: bytes

    def put(self, path: Path) -> None:
        """Write both files to `path`, after removing all other files there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.iterdir():
            old.unlink()
        path.write_bytes(self.database)
        if self.log:
            wal_path(path).write_bytes(self.log)


def write(folder: Path) -> DatabaseFiles:
    """Write a month by day, five days by hour, and names; the costs stay in the log, as after a sudden end."""
    path = folder / "written" / "usage.duckdb"
    store = Store.open(path)
    store.put(organization().batch("completions", first(31), ANCHOR, BucketWidth.DAY, SETTLED), SETTLED)
    store.put(organization().batch("completions", first(5), ANCHOR, BucketWidth.HOUR, SETTLED), SETTLED)
    store.remember(NAMES)
    store.close()
    store = Store.open(path)
    store.put(organization().batch("costs", first(31), ANCHOR, BucketWidth.DAY, SETTLED), SETTLED)
    files = DatabaseFiles(path.read_bytes(), wal_path(path).read_bytes())
    store.close()
    shutil.rmtree(path.parent)
    return files


def check(session: StoreSession, store: Store, dataset: str, width: BucketWidth, days: int) -> int:
    """Return how many buckets of the last `days` days are stored. Raises AssertionError if one is wrong."""
    stored = store.stored_buckets(dataset).get(width)
    starts = [] if stored is None else [int(start) for start in stored.starts if start >= first(days)]
    shown = shown_rows(session, dataset, width, days)
    for start in starts:
        assert shown.get(start, {}) == true_rows(dataset, width, start), f"{dataset} {width.value} {start}"
    # A day may also be made of stored hours; nothing else may be shown.
    finer = store.stored_buckets(dataset).get(BucketWidth.HOUR) if width is BucketWidth.DAY else None
    days_of_hours = set() if finer is None else {int(start) // DAY * DAY for start in finer.starts}
    assert set(shown) <= {*starts, *days_of_hours}
    return len(starts)


def examine(path: Path) -> str:
    """Use the database in every way; return "stored …" if everything is true, else the typed error's name.

    Raises AssertionError if a stored bucket is incomplete or wrong.
    """
    store: Store | None = None
    try:
        store = Store.open(path)
        session = StoreSession(store, clock=lambda: SETTLED)
        session.check()
        counts = [check(session, store, *one) for one in WRITTEN]
        store.rows("completions")
        assert set(store.names().by_id.values()) <= set(NAMES)
        store.put(organization().batch("images", first(3), ANCHOR, BucketWidth.DAY, SETTLED), SETTLED)
        counts.append(check(session, store, "images", BucketWidth.DAY, 3))
        store.close()
        return f"stored {' '.join(map(str, counts))}"
    except UsageViewerError as error:
        if type(error) is StoreError:
            return f"StoreError {error.title} {error.detail}"
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
    """Examine each path of standard input and print the outcome."""
    for line in sys.stdin:
        print(examine(Path(line.strip())), flush=True)


if __name__ == "__main__":
    main()
