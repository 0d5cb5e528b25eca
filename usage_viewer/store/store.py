"""Stores one organization's usage and reads the sums that views need."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.coverage import Coverage, HeldBuckets
from usage_viewer.domain.dataset import Extras, is_extra
from usage_viewer.domain.errors import StoreDamaged
from usage_viewer.domain.grain import GrainBuckets, dataset_name, stored_dataset
from usage_viewer.domain.grants import Grants, Refusal
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.view_parts import Value
from usage_viewer.query.aggregate import FactRows
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.query.levels import BucketLevels, per_bucket
from usage_viewer.query.plan import FactSums, Part
from usage_viewer.store.batch_writer import write_batch
from usage_viewer.store.bucket_index import BucketIndex
from usage_viewer.store.comparison_index import (
    Comparison,
    ComparisonIndex,
    delete_comparisons,
    write_comparison,
)
from usage_viewer.store.engine.damaged_file import set_aside
from usage_viewer.store.engine.database import Connection, Database, damage_if_misread, quoted
from usage_viewer.store.engine.digests import check_table, check_tables, start_digest, tracked
from usage_viewer.store.engine.malloc import keep_freed_memory
from usage_viewer.store.engine.schema import (
    add_columns,
    create_tables,
    existing_tables,
    fact_table,
    migrate_file,
    new_columns,
    read_combinations,
)
from usage_viewer.store.fact_cache import FactCache
from usage_viewer.store.fact_query import FactQuery, FactsMissing, read_facts
from usage_viewer.store.grant_index import GrantIndex, delete_refusals, write_refusals
from usage_viewer.store.name_index import NameIndex, read_name_lists, write_name_lists, write_names
from usage_viewer.store.unknown_fields import UnknownFields, extend_index, left_out_notes, read_field_values
from usage_viewer.store.verification import VerificationQueries


class Store:
    """Keeps one organization's usage, names, refusals and comparisons in a DuckDB file.

    Every method may be called in any thread. Each raises StoreError.
    """

    def __init__(self, database: Database, *, migrated: bool = False) -> None:
        """Read the file's indexes; `migrated`: it has the newest version. Raises StoreDamaged, StoreNewer."""
        self._database = database
        self._write_lock = threading.RLock()
        self._cache = FactCache()
        self._versions: Counter[str] = Counter()  # dataset -> number of changes: facts of an older one are outdated
        self._indexes: dict[str, DimensionIndex] = {}
        self._buckets = BucketIndex()
        self._unknown_fields: dict[str, UnknownFields] = {}
        self.verification = VerificationQueries(database, self.index, self.stored_buckets)
        self._load(migrated=migrated)

    @classmethod
    def open(cls, path: Path | None) -> "Store":
        """Open or creates the file; None: in memory.

        Raises StoreLocked, StoreDamaged, StoreNewer, StoreNotWritable.
        """
        keep_freed_memory()
        database = Database(path)
        try:
            return cls(database)
        except BaseException:
            database.close()
            raise

    @staticmethod
    def set_aside(path: Path) -> Path:
        """Rename a damaged file, so that a new one can be created; returns its new path.

        Raises StoreNotWritable.
        """
        return set_aside(path)

    def close(self) -> None:
        """Interrupts running queries, which then raise Cancelled, and closes the file. May be called again."""
        self._database.close()
        self._cache.clear()

    @property
    def database(self) -> Database:
        """The database, for modules of this package."""
        return self._database

    def stored_buckets(self, dataset: str) -> dict[BucketWidth, HeldBuckets]:
        """Return the stored whole buckets of a dataset in its finest or a further grain, for each width."""
        return self._buckets.of(dataset)

    def grains(self, dataset: str) -> tuple[GrainBuckets, ...]:
        """Return the stored buckets of a dataset by grain, at least one grain, the finest ones first."""
        nothing = GrainBuckets(dataset, frozenset(stored_dataset(dataset).group_by), {})
        return self._buckets.grains(dataset) or (nothing,)

    def stored_grains(self, dataset: str) -> tuple[str, ...]:
        """Return the names under which a dataset is stored: its own and those of further grains."""
        return tuple(dict.fromkeys((dataset, *(item.stored_as for item in self._buckets.grains(dataset)))))

    def rows(self, dataset: str) -> int:
        """Return how many rows of a dataset are stored, of all widths."""
        data = stored_dataset(dataset)
        with self._database.cursor() as cursor:
            tables = existing_tables(cursor)
            counts = [
                cursor.execute(f"SELECT count(*) FROM {quoted(fact_table(data, width))}").fetchall()[0][0]
                for width in data.widths
                if fact_table(data, width) in tables
            ]
        return sum(counts)

    def put(self, batch: Batch, fetched_at: int) -> None:
        """Replace each bucket of `batch.starts` as a whole, in one transaction.

        `fetched_at` is in epoch seconds. Raises WrongShape in addition to StoreError.
        """
        if not len(batch.starts):
            return
        data = stored_dataset(batch.dataset)
        with self._write_lock:
            stored = self.stored_buckets(data.name).get(batch.width, HeldBuckets.nothing())
            is_new = not (stored.find(batch.starts) >= 0).any()
            index = self.index(data.name)
            try:
                with self._database.transaction() as cursor:
                    for table in create_tables(cursor, data, batch.width):
                        start_digest(cursor, table)
                    if write_batch(cursor, data, batch, index, fetched_at, is_new=is_new):
                        self._buckets.expect_repeats(data.name)
                    if not is_new:
                        delete_comparisons(cursor, data.name, batch.width, np.unique(batch.starts))
            except BaseException:
                self._indexes.pop(data.name, None)  # it may have combinations that were rolled back
                raise
            self._comparisons.forget(data.name, batch.width, batch.starts)
            self._buckets.add(batch, fetched_at)
            if batch.extra:
                self._known_fields(dataset_name(data.name)).add(batch.extra.values())
            self._versions[data.name] += 1
            self._cache.forget(data.name)
            self.remember(batch.names)

    def changes(self, dataset: str) -> int:
        """Return how often a dataset, or a further grain, was changed since the store was opened."""
        return self._versions[dataset]

    @contextmanager
    def replacing(self, dataset: str, cancel: Cancellation | None = None) -> Iterator[Connection]:
        """Let the caller replace daily buckets of a computed dataset in one transaction."""
        data, cancel = stored_dataset(dataset), cancel or Cancellation()
        with self._write_lock:
            try:
                with self._database.transaction() as cursor, cancel.on_cancel(cursor.interrupt):
                    for table in create_tables(cursor, data, BucketWidth.DAY):
                        start_digest(cursor, table)
                    yield cursor
                    # Before the facts become readable: a reader must find every combination that they refer to.
                    index = self.index(dataset)
                    index.add(read_combinations(cursor, data, len(index)))
            except BaseException:
                self._indexes.pop(dataset, None)
                raise
            with self._database.cursor() as cursor:
                self._buckets = BucketIndex.load(cursor)
            self._versions[dataset] += 1
            self._cache.forget(dataset)

    def distrust_fetches_after(self, moment: int) -> None:
        """Change each time of fetch after `moment` (epoch seconds) to the start of its bucket.

        A clock was ahead then: such a bucket may have grown since, and would count as final too early.
        """
        if self._buckets.newest_fetch() <= moment:
            return
        with self._write_lock:
            with self._database.transaction() as cursor, tracked(cursor, "held"):
                cursor.execute("UPDATE held SET fetched_at = start WHERE fetched_at > ?", [moment])
            with self._database.cursor() as cursor:
                self._buckets = BucketIndex.load(cursor)

    def check(self, dataset: str | None = None, cancel: Cancellation | None = None) -> None:
        """Compare the facts of one dataset, or of all, and everything else that is stored with their digests.

        Takes about 60 ms for each million facts; writers wait. Raises Cancelled, and StoreDamaged, as every later
        call then does.
        """
        try:
            with self._write_lock, self._database.cursor(cancel) as cursor, damage_if_misread():
                check_tables(cursor)
                self._buckets.check(cursor)
                for data, width in self._buckets.stored():
                    if dataset in (None, dataset_name(data.name)):
                        check_table(cursor, fact_table(data, width))
        except StoreDamaged as error:
            self._database.refuse(error)
            raise

    @property
    def comparisons(self) -> ComparisonIndex:
        """The results of comparing stored buckets with the server's totals."""
        return self._comparisons

    def record_comparison(self, comparison: Comparison) -> None:
        """Store the results of the buckets that are still stored as they were compared."""
        with self._write_lock:
            stored = self.stored_buckets(comparison.dataset).get(comparison.width, HeldBuckets.nothing())
            fetched = stored.find(comparison.starts)
            valid = comparison.limited_to((fetched >= 0) & (fetched == comparison.fetched))
            with self._database.transaction() as cursor:
                write_comparison(cursor, valid)
            self._comparisons.add(valid)

    def read(self, part: Part, cancel: Cancellation | None = None) -> FactSums:
        """Read the sums of each period and combination, and those of each bucket for the part's levels.

        Raises Cancelled, StoreError.
        """
        self._database.raise_damage()  # the cache may have the facts
        cancel = cancel or Cancellation()
        read = self._read_known_fields
        if any(is_extra(item.name) for item in part.dataset.dimensions):
            read = self._read_unknown_fields
        try:
            sums = read(part, cancel)
        except FactsMissing:
            with self._write_lock:  # a bucket may have been replaced meanwhile; while nothing writes, none can be
                sums = read(part, cancel)
        fields = [name for name in part.metrics if is_extra(name)]
        if not fields:
            return sums
        with self._database.cursor(cancel) as cursor:
            return replace(sums, notes=tuple(left_out_notes(cursor, part.dataset, part.coverage.read, fields)))

    def _read_known_fields(self, part: Part, cancel: Cancellation) -> FactSums:
        rows = self._facts(self._query(part, part.coverage, part.metrics), cancel)
        levels = None
        if part.levels:
            query = self._query(part, per_bucket(part.coverage), part.levels)
            levels = BucketLevels(part.coverage, self._facts(query, cancel))
        cancel.check()
        # The index is taken after the facts, so that it has every combination that they refer to.
        index = self.index(part.dataset.name)
        if len(rows) and not 0 <= rows.cell.min() <= rows.cell.max() < len(index):
            raise StoreDamaged("A row has a combination that is not stored.")
        return FactSums(rows, index, levels)

    def _read_unknown_fields(self, part: Part, cancel: Cancellation) -> FactSums:
        """Read a part whose combinations differ in unknown fields: a rare case, without the cache."""
        with self._database.cursor(cancel) as cursor:
            extended = extend_index(cursor, part.dataset, part.coverage, self.index(part.dataset.name))

            def read(coverage: Coverage, metrics: tuple[str, ...]) -> FactRows:
                query = self._query(part, coverage, metrics)
                return read_facts(cursor, replace(query, extended=extended, combinations=len(extended.index)))

            rows = read(part.coverage, part.metrics)
            levels = None
            if part.levels:
                levels = BucketLevels(part.coverage, read(per_bucket(part.coverage), part.levels))
        return FactSums(rows, extended.index, levels)

    def _query(self, part: Part, coverage: Coverage, metrics: tuple[str, ...]) -> FactQuery:
        name = part.dataset.name
        # The version is read first: facts may be newer than their version says, never older.
        version = self._versions[name]
        stored, repeats = self._buckets.fact_counts(name), self._buckets.repeats(name)
        return FactQuery(part.dataset, metrics, coverage, stored, repeats, len(self.index(name)), version)

    def _facts(self, query: FactQuery, cancel: Cancellation) -> FactRows:
        rows = self._cache.find(query)
        if rows is None:
            with self._database.cursor(cancel) as cursor:
                rows = read_facts(cursor, query)
            self._cache.add(query, rows)
        return rows

    def values(self, dataset: str, dimension: str) -> tuple[Value, ...]:
        """Return every value of a dimension that was ever stored; of an unknown field, those stored now."""
        if is_extra(dimension):
            with self._database.cursor() as cursor:
                return read_field_values(cursor, stored_dataset(dataset), dimension)
        values = (
            self.index(name).values(dimension)
            for name in self.stored_grains(dataset)
            if stored_dataset(name).has_dimension(dimension)
        )
        return tuple(dict.fromkeys(value for each in values for value in each))

    def extras(self, dataset: str) -> Extras:
        """Return the unknown fields that are stored, or were since the store was opened."""
        return self._known_fields(dataset).extras

    def grants(self, dataset: str) -> Grants:
        """Return what is known of the groupings that the organization's API refuses, of any age."""
        return self._grants.of(dataset)

    def learn(self, dataset: str, refusals: Iterable[Refusal]) -> None:
        """Record groupings that the organization's API refuses."""
        learnt = list(refusals)
        with self._write_lock:
            with self._database.transaction() as cursor:
                write_refusals(cursor, dataset, learnt)
            self._grants.add(dataset, learnt)

    def forget_refusals(self, dataset: str) -> None:
        """Delete what is known of refused groupings of a dataset."""
        with self._write_lock:
            with self._database.transaction() as cursor:
                delete_refusals(cursor, dataset)
            self._grants.forget(dataset)

    def names(self) -> Names:
        """Return every name that was ever stored."""
        return self._names.names

    def remember(self, names: Iterable[Name]) -> None:
        """Store names. Of two names for one id, the one seen later is kept."""
        with self._write_lock:
            self._store_names(self._names.newer(names))

    def name_lists_read(self) -> dict[str, int]:
        """Return when each list of names was last read to its end (epoch seconds)."""
        with self._database.cursor() as cursor:
            return read_name_lists(cursor)

    def note_name_lists_read(self, lists: Iterable[str], at: int) -> None:
        """Record lists of names that were read to their end at `at` (epoch seconds)."""
        if names := tuple(lists):
            with self._write_lock, self._database.transaction() as cursor:
                write_name_lists(cursor, names, at)

    def mark_deleted(self, kind: str, seen_before: int) -> None:
        """Mark names of `kind` as deleted if no list had them since `seen_before` (epoch seconds)."""
        with self._write_lock:
            self._store_names(self._names.deleted(kind, seen_before))

    def erase(self) -> None:
        """Delete everything: usage, names, refusals and comparisons."""
        with self._write_lock:
            self._database.recreate()
            self._versions.update(self._buckets.names())
            self._cache.clear()
            self._indexes = {}
            self._unknown_fields = {}
            self._load()

    def _load(self, *, migrated: bool = False) -> None:
        if not migrated:
            migrate_file(self._database)
        with self._database.cursor() as cursor, damage_if_misread():
            self._buckets = BucketIndex.load(cursor)
            lacking = {} if self._database.is_new else new_columns(cursor, self._buckets.stored())
            self._comparisons = ComparisonIndex.load(cursor)
            self._names = NameIndex.load(cursor)
            self._grants = GrantIndex.load(cursor)
        if lacking:
            with self._database.transaction() as cursor:
                add_columns(cursor, lacking)

    def _store_names(self, names: list[Name]) -> None:
        if names:
            with self._database.transaction() as cursor:
                write_names(cursor, names)
            self._names.add(names)

    def _known_fields(self, dataset: str) -> UnknownFields:
        fields = self._unknown_fields.get(dataset)
        if fields is None:
            with self._write_lock, self._database.cursor() as cursor:
                loaded = UnknownFields.load(cursor, stored_dataset(dataset))
                fields = self._unknown_fields.setdefault(dataset, loaded)
        return fields

    def index(self, dataset: str) -> DimensionIndex:
        """Return the index of all stored combinations of a dataset."""
        index = self._indexes.get(dataset)
        if index is not None:
            return index
        data = stored_dataset(dataset)
        with self._write_lock, self._database.cursor() as cursor:
            index = DimensionIndex(data, read_combinations(cursor, data))
            return self._indexes.setdefault(dataset, index)
