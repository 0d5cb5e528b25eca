"""Makes synthetic usage and its batches, and computes views of it in plain Python."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from usage_viewer.domain.batch import Batch, Combination
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS, Dataset, Kind
from usage_viewer.domain.coverage import Coverage, cover
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.table import GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Value
from usage_viewer.query.answer import answer
from usage_viewer.query.plan import FactSource, FactSums, Part, plan_view
from usage_viewer.store import Store

DAY = 86400
T0 = 1_793_491_200
"""2026-11-01 00:00 UTC."""

NOW = T0 + 400 * DAY
"""A time at which all buckets are final."""


@dataclass(frozen=True)
class Row:
    bucket: int
    combination: Combination
    figures: Mapping[str, Number | None]
    extra: str | None = None


@dataclass
class Usage:
    """Rows of one dataset and width; `starts` are all buckets, also those without rows (epoch seconds)."""

    dataset: str
    width: BucketWidth
    starts: list[int]
    rows: list[Row] = field(default_factory=list)

    def batch(self) -> Batch:
        combinations = list(dict.fromkeys(row.combination for row in self.rows))
        position = {combination: index for index, combination in enumerate(combinations)}
        data = DATASETS[self.dataset]
        metrics = {}
        for metric in data.metrics:
            given = [row.figures.get(metric.name) for row in self.rows]
            missing = np.array([value is None for value in given], np.bool_)
            kind = np.object_ if metric.kind is Kind.DECIMAL else np.int64
            values = np.array([0 if value is None else value for value in given], kind)
            metrics[metric.name] = NumberColumn(values, missing if missing.any() else None)
        return Batch(
            self.dataset,
            self.width,
            np.array(self.starts, np.int64),
            data.group_by,
            combinations,
            np.array([row.bucket for row in self.rows], np.int64),
            np.array([position[row.combination] for row in self.rows], np.int32),
            metrics,
            {index: row.extra for index, row in enumerate(self.rows) if row.extra is not None},
        )


def batch_of(
    dataset: str,
    width: BucketWidth,
    starts: list[int],
    rows: list[tuple[int, Combination, dict[str, Any]]],
) -> Batch:
    """Return a batch of rows (bucket, combination, figures); a figure that is None or absent is missing."""
    metrics = {}
    for metric in DATASETS[dataset].metrics:
        given = [figures.get(metric.name) for _, _, figures in rows]
        absent = np.array([value is None for value in given], np.bool_)
        kind = np.object_ if metric.kind is Kind.DECIMAL else np.int64
        metrics[metric.name] = NumberColumn(
            np.array([value or 0 for value in given], kind), absent if absent.any() else None
        )
    return Batch(
        dataset,
        width,
        np.array(starts, np.int64),
        DATASETS[dataset].group_by,
        [combination for _, combination, _ in rows],
        np.array([bucket for bucket, _, _ in rows], np.int64),
        np.arange(len(rows), dtype=np.int32),
        metrics,
    )


@pytest.fixture
def small_batch() -> Callable[..., Batch]:
    """Return `batch_of`."""
    return batch_of


MakeUsage = Callable[..., Usage]


@pytest.fixture
def make_usage() -> MakeUsage:
    """Return `synthetic`."""
    return synthetic


def synthetic(
    first: int = T0,
    buckets: int = 72,
    *,
    width: BucketWidth = BucketWidth.HOUR,
    dataset: str = "completions",
    rows_each: int = 30,
    seed: int = 1,
    idle: int = 7,
) -> Usage:
    """Make usage of buckets from `first` (epoch seconds) on; every `idle`-th one has no rows (0: each has rows).

    Equal arguments make equal usage.
    """
    starts = [first + index * width.seconds for index in range(buckets)]
    rows = _synthetic_rows(tuple(starts), dataset, rows_each, seed, idle)
    return Usage(dataset, width, starts, [replace(row, figures=dict(row.figures)) for row in rows])


@cache
def _synthetic_rows(starts: Sequence[int], dataset: str, rows_each: int, seed: int, idle: int) -> Sequence[Row]:
    random = Random(seed)
    data = DATASETS[dataset]
    rows = []
    for number, start in enumerate(starts):
        if idle and number % idle == idle - 1:
            continue
        chosen: dict[Combination, None] = {}
        for _ in range(4 * rows_each):  # a dataset of one dimension has fewer combinations
            if len(chosen) < rows_each:
                chosen[tuple(_value(random, item.name, item.boolean) for item in data.dimensions)] = None
        for combination in chosen:
            figures: dict[str, Number | None] = {}
            for metric in data.metrics:
                absent = not metric.required and random.random() < 0.3
                exact = Decimal(random.randrange(10**12)).scaleb(-random.randrange(12))
                count = random.randrange(10 ** random.randrange(1, 12))
                figures[metric.name] = None if absent else exact if metric.kind is Kind.DECIMAL else count
            rows.append(Row(start, combination, figures))
    return rows


def _value(random: Random, dimension: str, boolean: bool) -> Value:
    if boolean:
        return random.choice(["true", "false"])
    return random.choice([None, *(f"{dimension}-{letter}" for letter in "abcd"[: 2 + len(dimension) % 3])])


@pytest.fixture
def store() -> Iterator[Store]:
    """Open a store in memory; at the end everything in it has to agree with its digests."""
    opened = Store.open(None)
    yield opened
    opened.check()
    opened.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a file in a folder that doesn't exist yet."""
    return tmp_path / "data" / "usage.duckdb"


Ask = Callable[..., Table]


@pytest.fixture
def ask() -> Ask:
    """Return `answer_view`."""
    return answer_view


def answer_view(
    store: Store, view: ViewState, names: Names | None = None, cancel: Cancellation | None = None
) -> Table:
    """Answer a view from the stored buckets, as a session of one organization does."""
    plan = plan_view(view, [FactSource("", view.dataset, coverage_of(store, view))])
    return answer(view, plan, store.read, names or Names(), cancel)[0]


def answer_across(
    stores: Mapping[str, Store], view: ViewState, names: Names | None = None, datasets: Iterable[str] = ()
) -> Table:
    """Answer a view across organizations (stores by profile), or of these datasets joined."""
    one = view.across(())
    sources = [
        FactSource(profile, data, coverage_of(store, one, data))
        for profile, store in stores.items()
        for data in ([DATASETS[name] for name in datasets] or [one.dataset])
    ]

    def read(part: Part, cancel: Cancellation) -> FactSums:
        return stores[part.profile].read(part, cancel)

    return answer(view, plan_view(view, sources), read, names or Names())[0]


CoverageOf = Callable[[Store, ViewState], Coverage]


@pytest.fixture
def coverage() -> CoverageOf:
    """Return `coverage_of`."""
    return coverage_of


def coverage_of(store: Store, view: ViewState, dataset: Dataset | None = None) -> Coverage:
    """Return how much of a view's buckets is stored of its own or another dataset."""
    data, periods = dataset or view.dataset, view.periods(NOW)
    return cover(periods, periods.segments(data.widths), store.stored_buckets(data.name), NOW)


Between = Callable[..., DateRange]


@pytest.fixture
def between() -> Between:
    """Return `between_moments`."""
    return between_moments


def between_moments(start: int = T0, end: int = T0 + 3 * DAY) -> DateRange:
    """Return the range between two times (epoch seconds), as wall-clock times of UTC."""
    first, last = (datetime.fromtimestamp(moment, UTC).replace(tzinfo=None) for moment in (start, end))
    return DateRange(None, first, last)


Cells = dict[tuple[int | Value, ...], dict[str, Number | None]]


@pytest.fixture
def shown() -> Callable[[Table], Cells]:
    """Return `table_cells`."""
    return table_cells


def table_cells(table: Table) -> Cells:
    """Return the figures of each row by its period's index (if there are periods) and the values of its groups."""
    heads: list[list[int | Value]] = []
    for column in table.heads:
        if isinstance(column, PeriodColumn):
            heads.append(list(column.index.tolist()))
        else:
            assert isinstance(column, GroupColumn)
            assert set(column.codes.tolist()) == set(range(len(column.values)))
            heads.append([column.values[code] for code in column.codes.tolist()])
    figures = {column.name: column.figures.listed() for column in table.figures}
    keys = list(zip(*heads, strict=True)) if heads else [()] * table.rows
    cells = {key: {name: listed[row] for name, listed in figures.items()} for row, key in enumerate(keys)}
    assert len(cells) == table.rows, "a group occurs twice"
    return cells


Oracle = Callable[..., Cells]


@pytest.fixture
def oracle() -> Oracle:
    """Return `expected`."""
    return expected


def expected(rows: Iterable[Row], view: ViewState, metrics: Iterable[str]) -> Cells:
    """Return the cells that a view of these rows has, for metrics that are sums."""
    names = [dimension.name for dimension in view.dataset.dimensions]
    bounds = view.periods(NOW).bounds.tolist()
    cells: Cells = {}
    for row in rows:
        values = dict(zip(names, row.combination, strict=True))
        period = bisect_right(bounds, row.bucket) - 1
        if not 0 <= period < len(bounds) - 1:
            continue
        if not all((values[item.dimension] in item.values) != item.exclude for item in view.filters):
            continue
        searched = [values[name] or view.dataset.dimension(name).none for name in view.grouping or names]
        searched += [{"true": "yes", "false": "no"}.get(text, "") for text in searched]
        if view.search and not any(view.search.lower() in text.lower() for text in searched):
            continue
        head: tuple[int | Value, ...] = tuple(values[name] for name in view.grouping)
        cell = cells.setdefault(head if len(bounds) == 2 else (period, *head), dict.fromkeys(metrics))
        for name in metrics:
            given, before = row.figures.get(name), cell[name]
            if given is not None:
                cell[name] = given if before is None else before + given  # type: ignore[operator]
    return cells
