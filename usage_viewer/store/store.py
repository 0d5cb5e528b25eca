"""`Store`: what is held, putting batches in, and the answer to a view."""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.coverage import Coverage, HeldBuckets
from usage_viewer.domain.dataset import Extras, is_extra
from usage_viewer.domain.errors import StoreNotWritable
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import Value, ViewState
from usage_viewer.query.aggregate import FactSums
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.query.levels import by_bucket, levels_needed
from usage_viewer.query.table_builder import metrics_needed, tabulate
from usage_viewer.store.batch_writer import write
from usage_viewer.store.bucket_index import BucketIndex
from usage_viewer.store.engine.database import Connection, Database, wal_of
from usage_viewer.store.engine.malloc import keep_freed_memory
from usage_viewer.store.engine.schema import (
    adapt,
    combination_table,
    create,
    existing_tables,
    fact_table,
    migrate,
    quoted,
)
from usage_viewer.store.fact_cache import FactCache
from usage_viewer.store.fact_query import FactQuery, read
from usage_viewer.store.name_index import NameIndex, write_names
from usage_viewer.store.unknown_fields import KnownExtras, values_of, widen
from usage_viewer.store.verification import VerificationQueries


class Gathered(NamedTuple):
    """Sums of each period and combination, the combinations, and the same for each bucket where levels need it."""

    facts: FactSums
    combinations: DimensionIndex
    by_buckets: FactSums | None


class Store:
    """One organization's usage. Every method may be called in any thread; each raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writing = threading.RLock()
        self._cache = FactCache()
        self._changes: Counter[str] = Counter()  # of each dataset: tells facts read before a change from later ones
        self._combinations: dict[str, DimensionIndex] = {}
        self._extras: dict[str, KnownExtras] = {}
        self.proofs = VerificationQueries(database, self._known_combinations, self.held)
        self._load()

    @classmethod
    def open(cls, path: Path | None) -> "Store":
        """`path` None: in memory. Raises StoreLocked, StoreDamaged, StoreNewer, StoreNotWritable."""
        keep_freed_memory()
        database = Database(path)
        try:
            return cls(database)
        except BaseException:
            database.close()
            raise

    @staticmethod
    def set_aside(path: Path) -> Path:
        """Moves a damaged file away, so that a new one can be begun; returns where it is now."""
        name = f"{path.stem}.damaged-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
        aside, number = path.with_name(name + path.suffix), 1
        while aside.exists():
            number += 1
            aside = path.with_name(f"{name}-{number}{path.suffix}")
        try:
            path.rename(aside)
            if wal_of(path).exists():
                wal_of(path).rename(wal_of(aside))
        except OSError as error:
            raise StoreNotWritable(str(error)) from error
        return aside

    def close(self) -> None:
        """Stops what runs, which then raises Cancelled. May be called again."""
        self._database.close()
        self._cache.clear()

    @property
    def database(self) -> Database:
        """For the store's own parts: what is there, in tables."""
        return self._database

    def held(self, dataset: str) -> dict[BucketWidth, HeldBuckets]:
        """Which whole buckets are held, of each width that any are held of."""
        return self._holdings.of(dataset)

    def rows(self, dataset: str) -> int:
        """How many rows are held, of all widths."""
        data = DATASETS[dataset]
        with self._database.cursor() as cursor:
            there = existing_tables(cursor)
            counts = [
                cursor.execute(f"SELECT count(*) FROM {quoted(fact_table(data, width))}").fetchall()[0][0]
                for width in data.widths
                if fact_table(data, width) in there
            ]
        return sum(counts)

    def put(self, batch: Batch, fetched_at: int) -> None:
        """Replaces each bucket of `batch.starts` as a whole, all in one transaction. Raises WrongShape too."""
        if not len(batch.starts):
            return
        data = DATASETS[batch.dataset]
        with self._writing:
            before = self.held(data.name).get(batch.width, HeldBuckets.nothing())
            fresh = not (before.find(batch.starts) >= 0).any()
            combinations = self._known_combinations(data.name)
            try:
                with self._database.transaction() as cursor:
                    create(cursor, data, batch.width)
                    if write(cursor, data, batch, combinations, fetched_at, fresh=fresh):
                        self._holdings.expect_repeats(data.name)
            except BaseException:
                # It may speak of combinations that were not stored after all.
                self._combinations.pop(data.name, None)
                raise
            self._holdings.add(data.name, batch.width, batch.starts, fetched_at)
            if batch.extra:
                self._known_extras(data.name).note(batch.extra.values())
            self._changes[data.name] += 1
            self._cache.forget(data.name)

    def answer(
        self, view: ViewState, coverage: Coverage, names: Names, cancelled: Cancellation | None = None
    ) -> Table:
        """What is held of `view`: `coverage.read` in the periods of `coverage`, in no particular order.

        Where figures of different units would be added, the unit becomes one more column of the grouping; where
        they would be added to a total, there is none. A view without periods and grouping has one row as soon as
        anything is held; else periods and groups without usage have none. Raises Cancelled, StoreError.
        """
        cancelled = cancelled or Cancellation()
        facts, combinations, by_buckets = self.gathered(view, coverage, cancelled)
        table = tabulate(view, coverage, facts, combinations, names, by_buckets)
        cancelled.check()
        return table

    def gathered(self, view: ViewState, coverage: Coverage, cancelled: Cancellation) -> Gathered:
        """What is held of `view`, before it is filtered and grouped. Raises Cancelled, StoreError."""
        if any(is_extra(item.name) for item in view.dataset.dimensions):
            return self._gathered_widened(view, coverage, cancelled)
        facts = self._facts(view, coverage, metrics_needed(view), cancelled)
        levels = levels_needed(view)
        by_buckets = self._facts(view, by_bucket(coverage), levels, cancelled) if levels else None
        cancelled.check()
        # After the facts, so that they have every combination that those speak of.
        return Gathered(facts, self._known_combinations(view.dataset_name), by_buckets)

    def _gathered_widened(self, view: ViewState, coverage: Coverage, cancelled: Cancellation) -> Gathered:
        """Where fields that this version doesn't know tell combinations apart: seldom, and never from the cache."""
        with self._database.cursor(cancelled) as cursor:
            widened = widen(cursor, view.dataset, coverage, self._known_combinations(view.dataset_name))
            question = self._question(view, coverage, metrics_needed(view))
            facts = read(cursor, replace(question, widened=widened, combinations=len(widened.combinations)))
            by_buckets = None
            if levels := levels_needed(view):
                fine = self._question(view, by_bucket(coverage), levels)
                by_buckets = read(cursor, replace(fine, widened=widened))
        return Gathered(facts, widened.combinations, by_buckets)

    def _question(self, view: ViewState, coverage: Coverage, metrics: tuple[str, ...]) -> FactQuery:
        return FactQuery(
            view.dataset,
            metrics,
            coverage,
            self._holdings.of(view.dataset_name),
            self._holdings.repeats(view.dataset_name),
            len(self._known_combinations(view.dataset_name)),
        )

    def _facts(
        self, view: ViewState, coverage: Coverage, metrics: tuple[str, ...], cancelled: Cancellation
    ) -> FactSums:
        change = self._changes[
            view.dataset_name
        ]  # before all else: facts of a later change may stand under an earlier
        question = self._question(view, coverage, metrics)
        facts = self._cache.find(question, change)
        if facts is None:
            with self._database.cursor(cancelled) as cursor:
                facts = read(cursor, question)
            self._cache.keep(question, change, facts)
        return facts

    def values(self, dataset: str, dimension: str) -> tuple[Value, ...]:
        """Every value of a dimension that was ever seen; for an unknown field, what is held of it now."""
        if is_extra(dimension):
            with self._database.cursor() as cursor:
                return values_of(cursor, DATASETS[dataset], dimension)
        return self._known_combinations(dataset).values(dimension)

    def extras(self, dataset: str) -> Extras:
        """The fields that this version doesn't know and that are held, or were since the store was opened."""
        return self._known_extras(dataset).extras

    def refused(self, dataset: str) -> tuple[str, ...]:
        """The dimensions that the organization's API refuses, in the dataset's order."""
        names = self._refused.get(dataset, frozenset())
        return tuple(item.name for item in DATASETS[dataset].dimensions if item.name in names)

    def refuse(self, dataset: str, dimensions: Iterable[str]) -> None:
        with self._writing:
            new = set(dimensions) - set(self.refused(dataset))
            with self._database.transaction() as cursor:
                for dimension in sorted(new):
                    cursor.execute("INSERT INTO refused VALUES (?, ?)", [dataset, dimension])
            self._refused[dataset] = self._refused.get(dataset, frozenset()) | new

    def allow_all(self, dataset: str) -> None:
        """Forgets what was refused."""
        with self._writing:
            with self._database.transaction() as cursor:
                cursor.execute("DELETE FROM refused WHERE dataset = ?", [dataset])
            self._refused.pop(dataset, None)

    def names(self) -> Names:
        return self._names.names

    def remember(self, names: Iterable[Name]) -> None:
        """Every name is kept for good; of two for one id, that which was seen later."""
        with self._writing:
            self._keep_names(self._names.newer(names))

    def mark_deleted(self, kind: str, seen_before: int) -> None:
        """Names of `kind` that no list has held since `seen_before` (epoch seconds) are shown as deleted."""
        with self._writing:
            self._keep_names(self._names.gone(kind, seen_before))

    def erase(self) -> None:
        """Forgets all: usage, names, and what was refused."""
        with self._writing:
            self._database.begin_anew()
            self._changes.update(DATASETS.keys())
            self._cache.clear()
            self._combinations = {}
            self._extras = {}
            self._load()

    def _load(self) -> None:
        with self._database.transaction() as cursor:
            migrate(cursor)
            adapt(cursor, DATASETS.values())
        with self._database.cursor() as cursor:
            self._holdings = BucketIndex.load(cursor)
            self._names = NameIndex.load(cursor)
            self._refused = _refused(cursor)

    def _keep_names(self, names: list[Name]) -> None:
        if names:
            with self._database.transaction() as cursor:
                write_names(cursor, names)
            self._names.keep(names)

    def _known_extras(self, dataset: str) -> KnownExtras:
        known = self._extras.get(dataset)
        if known is None:
            with self._writing, self._database.cursor() as cursor:
                known = self._extras.setdefault(dataset, KnownExtras.load(cursor, DATASETS[dataset]))
        return known

    def _known_combinations(self, dataset: str) -> DimensionIndex:
        known = self._combinations.get(dataset)
        if known is not None:
            return known
        data = DATASETS[dataset]
        with self._writing:
            with self._database.cursor() as cursor:
                rows = []
                if combination_table(data) in existing_tables(cursor):
                    columns = ", ".join(quoted(dimension.name) for dimension in data.dimensions)
                    rows = cursor.execute(
                        f"SELECT {columns} FROM {quoted(combination_table(data))} ORDER BY id"
                    ).fetchall()
            known = self._combinations.setdefault(dataset, DimensionIndex(data, rows))
        return known


def _refused(cursor: Connection) -> dict[str, frozenset[str]]:
    refused: dict[str, frozenset[str]] = {}
    for dataset, dimension in cursor.execute("SELECT dataset, dimension FROM refused").fetchall():
        refused[dataset] = refused.get(dataset, frozenset()) | {dimension}
    return refused
