"""Queries bucket sums, broken identities, changes and contributions for verification."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

import numpy as np

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.coverage import HeldBuckets
from usage_viewer.domain.dataset import Dataset, Identity, is_extra
from usage_viewer.domain.figures import EXACT, Number
from usage_viewer.domain.grain import dataset_name, is_stored_dataset, stored_dataset
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import BucketRun, BucketWidth, Span
from usage_viewer.domain.verification import (
    BrokenIdentities,
    BrokenIdentity,
    Bucket,
    BucketContribution,
    Cell,
    Changes,
    Sums,
    open_buckets,
)
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import NOT_AVAILABLE
from usage_viewer.query.aggregate import normalize_decimal
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.query.plan import FactSource
from usage_viewer.store.change_log import MAX_LISTED as MAX_CHANGES
from usage_viewer.store.change_log import dimensions_sql, read_changes
from usage_viewer.store.engine.database import Connection, Database, quoted
from usage_viewer.store.engine.schema import combination_table, existing_tables, fact_table
from usage_viewer.store.unknown_fields import FieldNumbers, extend_index

MAX_LISTED = 1000
"""Only this many broken identities are listed; all are counted."""


@dataclass(frozen=True, slots=True)
class _Selection:
    """SQL that selects facts: a join, and a condition whose parameters are a run's start and end."""

    join: str = ""
    cell: str = "combination"

    @property
    def condition(self) -> str:
        return f"bucket >= ? AND bucket < ? AND {self.cell} IN (SELECT id FROM chosen)"


class VerificationQueries:
    """Reads sums, changes and contributions.

    Every method may be called in any thread. Each raises StoreError, Cancelled.
    """

    def __init__(
        self,
        database: Database,
        index: Callable[[str], DimensionIndex],
        stored: Callable[[str], Mapping[BucketWidth, HeldBuckets]],
    ) -> None:
        """`index` and `stored` return a dataset's combinations and stored buckets."""
        self._database, self._index, self._stored = database, index, stored

    def sums(self, dataset: str, segments: Iterable[BucketRun], cancel: Cancellation | None = None) -> Sums:
        """Return the exact sums of each bucket; `segments` are runs of stored buckets of one width."""
        data, sums = stored_dataset(dataset), Sums()
        with self._database.cursor(cancel) as cursor, localcontext(EXACT):
            tables = existing_tables(cursor)
            for segment in segments:
                sums.known.update(range(segment.start, segment.end, segment.width.seconds))
                if fact_table(data, segment.width) in tables:
                    _add_sums(cursor, data, segment, sums)
        return sums

    def broken_identities(
        self,
        view: ViewState,
        sources: Iterable[FactSource],
        names: Names,
        cancel: Cancellation | None = None,
        limit: int = MAX_LISTED,
    ) -> BrokenIdentities:
        """Return the facts of a view that break one of the dataset's identities, newest buckets first."""
        data = stored_dataset(view.dataset_name)
        count, listed = 0, list[BrokenIdentity]()
        with self._database.cursor(cancel) as cursor:
            tables = existing_tables(cursor)
            for source, segment in _newest_first(sources if data.identities else ()):
                stored = stored_dataset(source.dataset.name)
                if fact_table(stored, segment.width) not in tables:
                    continue
                selection = self._select(cursor, view, source, names, Cell())
                for identity, broken in zip(
                    stored.identities, _count_broken(cursor, stored, segment, selection), strict=True
                ):
                    count += broken
                    if broken and len(listed) < limit:
                        most = limit - len(listed)
                        listed += _list_broken(cursor, data, stored, segment, selection, identity, most)
        listed.sort(key=lambda item: -item.bucket.start)
        return BrokenIdentities(count, tuple(listed))

    def changes(self, dataset: str, span: Span | None, now: int, cancel: Cancellation | None = None) -> Changes:
        """Return the changes of the last 30 days in buckets that overlap `span` (None: in all), of every grain.

        `now` is in epoch seconds.
        """
        with self._database.cursor(cancel) as cursor:
            names = sorted(row[0] for row in cursor.execute("SELECT DISTINCT dataset FROM change").fetchall())
            grains = [name for name in names if dataset_name(name) == dataset and is_stored_dataset(name)]
            found = [read_changes(cursor, stored_dataset(name), span, now) for name in grains]
        listed = sorted((item for one in found for item in one.listed), key=lambda item: -item.seen_at)
        return Changes(sum(one.count for one in found), tuple(listed[:MAX_CHANGES]))

    def contributions(
        self,
        view: ViewState,
        sources: Sequence[FactSource],
        cell: Cell,
        metrics: Sequence[str],
        names: Names,
        cancel: Cancellation | None = None,
    ) -> list[BucketContribution]:
        """Return each bucket of the cell's period in order, also those without facts of the cell.

        `sources` are those that the view was read from.
        """
        contributions = list[BucketContribution]()
        with self._database.cursor(cancel) as cursor, localcontext(EXACT):
            tables = existing_tables(cursor)
            for source in sources:
                data, bounds = source.dataset, source.coverage.periods.bounds
                first, last = (0, len(bounds) - 1) if cell.period is None else (cell.period, cell.period + 1)
                low, high = int(bounds[first]), int(bounds[last])
                stored, selection = self._stored(data.name), self._select(cursor, view, source, names, cell)
                for segment in source.coverage.read:
                    start, end = max(segment.start, low), min(segment.end, high)
                    if start < end and fact_table(data, segment.width) in tables:
                        run = BucketRun(segment.width, start, end)
                        fetched = stored.get(segment.width, HeldBuckets.nothing())
                        contributions += _contributions(cursor, data, run, selection, metrics, fetched)
        return sorted(contributions, key=lambda item: item.bucket)

    def _select(
        self, cursor: Connection, view: ViewState, source: FactSource, names: Names, cell: Cell
    ) -> _Selection:
        """Register the ids of the combinations that pass the view's filters and are in the cell's groups."""
        index, selection = self._index(source.dataset.name), _Selection()
        if any(is_extra(dimension.name) for dimension in source.dataset.dimensions):
            extended = extend_index(cursor, source.dataset, source.coverage, index)
            cursor.register(extended.table, extended.columns)
            index, selection = extended.index, _Selection(extended.join, extended.cell)
        filters = tuple(item for item in view.filters if item.dimension not in source.absent)
        chosen = index.matching(replace(view, filters=filters), names)
        if not all(item.passes(NOT_AVAILABLE) for item in view.filters if item.dimension in source.absent):
            chosen = np.zeros_like(chosen)
        for name, value in cell.groups:
            if name in source.absent:
                chosen = chosen & (value == NOT_AVAILABLE)
                continue
            codes = index.column(name)[: len(chosen)]
            values = index.values(name)
            chosen = chosen & (codes == (values.index(value) if value in values else -1))
        cursor.register("chosen", {"id": np.flatnonzero(chosen)})
        return selection


def _newest_first(sources: Iterable[FactSource]) -> list[tuple[FactSource, BucketRun]]:
    runs = [(source, run) for source in sources for run in source.coverage.read]
    return sorted(runs, key=lambda item: -item[1].start)


def _add_sums(cursor: Connection, data: Dataset, segment: BucketRun, sums: Sums) -> None:
    units = list(dict.fromkeys(metric.unit_from for metric in data.metrics if metric.unit_from))
    columns = [*(f"c.{quoted(unit)}" for unit in units), *(f"SUM({quoted(item.name)})" for item in data.metrics)]
    join = f"JOIN {quoted(combination_table(data))} AS c ON combination = c.id" if units else ""
    rows = cursor.execute(
        f"SELECT bucket, {', '.join(columns)} FROM {quoted(fact_table(data, segment.width))} {join}"
        " WHERE bucket >= ? AND bucket < ? GROUP BY ALL",
        [segment.start, segment.end],
    ).fetchall()
    for start, *values in rows:
        sums.busy.add(start)
        unit_of = dict(zip(units, values, strict=False))
        for metric, figure in zip(data.metrics, values[len(units) :], strict=True):
            if figure is not None:
                sums.add(start, metric.name, unit_of.get(metric.unit_from), figure)


def _parts(identity: Identity) -> str:
    return " + ".join(f"{quoted(part)}::HUGEINT" for part in identity.parts)


def _broken(identity: Identity) -> str:
    """Return the SQL condition of a broken identity; null where a part is missing."""
    return f"{quoted(identity.whole)} <> {_parts(identity)}"


def _count_broken(cursor: Connection, data: Dataset, segment: BucketRun, selection: _Selection) -> list[int]:
    counts = ", ".join(f"count_if({_broken(identity)})" for identity in data.identities)
    row = cursor.execute(
        f"SELECT {counts} FROM {quoted(fact_table(data, segment.width))} {selection.join}"
        f" WHERE {selection.condition}",
        [segment.start, segment.end],
    ).fetchall()[0]
    return [int(count or 0) for count in row]  # null where no row gives all parts


def _list_broken(
    cursor: Connection,
    dataset: Dataset,
    data: Dataset,
    segment: BucketRun,
    selection: _Selection,
    identity: Identity,
    limit: int,
) -> list[BrokenIdentity]:
    """Return broken identities with a value for each dimension of `dataset`; `data` is the grain to read."""
    dimensions = dimensions_sql(dataset, data)
    broken = cursor.execute(
        f"SELECT bucket, {quoted(identity.whole)}, {_parts(identity)}, {dimensions}"
        f" FROM {quoted(fact_table(data, segment.width))} JOIN {quoted(combination_table(data))} AS c"
        f" ON combination = c.id {selection.join} WHERE {selection.condition} AND {_broken(identity)}"
        f" ORDER BY bucket DESC, combination LIMIT {limit}",
        [segment.start, segment.end],
    ).fetchall()
    return [
        BrokenIdentity(identity, Bucket(start, segment.width), tuple(values), whole, int(parts))
        for start, whole, parts, *values in broken
    ]


def _contributions(
    cursor: Connection,
    data: Dataset,
    segment: BucketRun,
    selection: _Selection,
    metrics: Sequence[str],
    stored: HeldBuckets,
) -> list[BucketContribution]:
    columns = ", ".join(["count(*)", *("NULL" if is_extra(name) else f"SUM({quoted(name)})" for name in metrics)])
    summed = cursor.execute(
        f"SELECT bucket, {columns} FROM {quoted(fact_table(data, segment.width))} {selection.join}"
        f" WHERE {selection.condition} GROUP BY bucket",
        [segment.start, segment.end],
    ).fetchall()
    extras = _extra_sums(cursor, data, segment, selection, [name for name in metrics if is_extra(name)])
    sums = {
        start: (
            count,
            tuple(
                extras.get((start, name)) if is_extra(name) else _normalize(figure)
                for name, figure in zip(metrics, figures, strict=True)
            ),
        )
        for start, count, *figures in summed
    }
    starts = np.arange(segment.start, segment.end, segment.width.seconds, dtype=np.int64)
    fetched = stored.find(starts)
    may_grow = open_buckets(starts, segment.width, fetched).tolist()
    nothing: tuple[int, tuple[Number | None, ...]] = (0, (None,) * len(metrics))
    contributions = []
    for start, fetched_at, is_open in zip(starts.tolist(), fetched.tolist(), may_grow, strict=True):
        count, figures = sums.get(start, nothing)
        contributions.append(BucketContribution(Bucket(start, segment.width), count, fetched_at, is_open, figures))
    return contributions


def _extra_sums(
    cursor: Connection, data: Dataset, segment: BucketRun, selection: _Selection, names: Sequence[str]
) -> dict[tuple[int, str], Decimal]:
    """Return the exact sum of each of these unknown fields in each bucket that has any number of it."""
    sums: dict[tuple[int, str], Decimal] = {}
    if not names:
        return sums
    rows = cursor.execute(
        f"SELECT bucket, extra FROM {quoted(fact_table(data, segment.width))} {selection.join}"
        f" WHERE {selection.condition} AND extra IS NOT NULL",
        [segment.start, segment.end],
    ).fetchall()
    with localcontext(EXACT):
        for name in names:
            numbers = FieldNumbers(name).read(text for _, text in rows)
            for (start, _), number in zip(rows, numbers, strict=True):
                if number is not None:
                    sums[start, name] = sums.get((start, name), Decimal(0)) + number
        return {key: normalize_decimal(number) for key, number in sums.items()}


def _normalize(figure: Number | None) -> Number | None:
    return normalize_decimal(figure) if isinstance(figure, Decimal) else figure
