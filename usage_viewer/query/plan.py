"""Plans the reads of a view: the parts to read, and the dataset that they are combined into."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.cost_figures import COST_PARTS, SAVINGS, has_costs
from usage_viewer.domain.coverage import Coverage, combine_coverage
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.grain import dataset_name
from usage_viewer.domain.money_origin import is_money, origin_metrics
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.view import ViewState
from usage_viewer.query.aggregate import FactRows
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.query.levels import BucketLevels


@dataclass(frozen=True, slots=True)
class FactSource:
    """One dataset of one profile, and how much of a view's buckets is stored for it.

    `profile` is the profile's id; it matters only in a view across organizations. `dataset` has the unknown fields
    that the view names; it may be a further grain (see `domain.grain`). `absent`: the dimensions that its rows
    lack because the organization's API does not grant them.
    """

    profile: str
    dataset: Dataset
    coverage: Coverage
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """What to read from one profile's store.

    `metrics` are summed for each period of `coverage`; `levels` are metrics also summed for each bucket, for means
    and peaks. `absent`: see `FactSource`.
    """

    profile: str
    dataset: Dataset
    coverage: Coverage
    metrics: tuple[str, ...]
    levels: tuple[str, ...] = ()
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to read for a view: at least one part, all of the same periods.

    `dataset` describes the combined facts, `coverage` counts the buckets of all parts.
    """

    parts: tuple[Part, ...]
    dataset: Dataset
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class FactSums:
    """The exact sums that were read: a row for each period and combination that has facts.

    `rows.cell` is an id of `index`. `levels` is None unless means or peaks are needed. `notes`: sentences about
    values that are not in the sums. `unpriced` marks the periods without a cost per unit of usage, None for none.
    """

    rows: FactRows
    index: DimensionIndex
    levels: BucketLevels | None = None
    notes: tuple[str, ...] = ()
    unpriced: NDArray[np.bool_] | None = None


def plan_view(view: ViewState, sources: Iterable[FactSource]) -> Plan:
    """Plan one part for each source; there is at least one source.

    An ordinary view has one source for each grain that answers it, a view across organizations those of each
    profile, and a view of joined datasets (see `join_datasets`) those of each profile and dataset. A source without
    any needed metric is not read. Raises ValueError if the sources differ in their periods, InputError for unknown
    fields of joined datasets.
    """
    dataset, metrics, levels = view.dataset, metrics_needed(view), levels_needed(view)
    sources = list(sources)
    is_join = len({dataset_name(source.dataset.name) for source in sources if not source.dataset.service}) > 1
    if is_join and view.extras:
        raise InputError(
            ", ".join(view.extras),
            title="Fields that this version does not know can't be joined",
            hint="Show one of the datasets alone.",
        )
    parts = []
    for source in sources:
        names = [
            (metric.name, column_name(dataset, source.dataset, metric.name)) for metric in source.dataset.metrics
        ]
        needed = tuple(name for name, column in names if column in metrics)
        if needed or not (is_join or has_costs(dataset)):
            needed_levels = tuple(name for name, column in names if column in levels)
            parts.append(
                Part(source.profile, source.dataset, source.coverage, needed, needed_levels, source.absent)
            )
    return Plan(tuple(parts), dataset, cover_parts(parts))


def metrics_needed(view: ViewState) -> tuple[str, ...]:
    """Return the metrics to sum for the columns shown, in the dataset's order; with money, those of its origin."""
    figures = [view.dataset.column(name) for name in view.shown_columns]
    needed = {metric for figure in figures for metric in figure.needs()}
    if any(is_money(view.dataset, figure) for figure in figures):
        needed |= set(origin_metrics(view.dataset))
    return tuple(metric.name for metric in view.dataset.metrics if metric.name in needed)


def levels_needed(view: ViewState) -> tuple[str, ...]:
    """Return the levels whose mean or peak is shown, in the dataset's order."""
    columns = (view.dataset.column(name) for name in view.shown_columns)
    needed = {name for column in columns if column.statistic is not None for name in column.needs()}
    return tuple(metric.name for metric in view.dataset.metrics if metric.name in needed)


def cover_parts(parts: Sequence[Part]) -> Coverage:
    """Combine the coverage of several parts into one, counted in buckets of the finest unit.

    Costs beside usage are not counted. Raises ValueError if the parts differ in their periods.
    """
    first = parts[0].coverage
    for part in parts:
        if not np.array_equal(part.coverage.periods.bounds, first.periods.bounds):
            raise ValueError("The parts of a plan must have the same periods.")
    unit = min((part.coverage.unit for part in parts), key=lambda width: width.seconds)
    combined = combine_coverage([_in_unit(coverage, unit) for coverage in _whole_coverages(parts)])
    return replace(combined, organizations=len({part.profile for part in parts}))


def periods_without_whole_cost(plan: Plan) -> NDArray[np.bool_]:
    """Mark the periods in which usage and its cost are stored for different days (periods,).

    A cost per unit of usage is not known there.
    """
    bounds, differs = plan.coverage.periods.bounds, np.zeros(len(plan.coverage.periods), np.bool_)
    for profile in {part.profile for part in plan.parts if part.dataset.service}:
        own = [part for part in plan.parts if part.profile == profile]
        usage, costs = (
            _days(part for part in own if bool(part.dataset.service) is has_costs) for has_costs in (False, True)
        )
        days = np.setxor1d(usage, costs)
        place = np.searchsorted(bounds, days, side="right") - 1
        differs[place[(place >= 0) & (place < len(differs))]] = True
    return differs


def _days(parts: Iterable[Part]) -> NDArray[np.int64]:
    """Return the start of each UTC day of which something is read."""
    runs = [run for part in parts for run in part.coverage.read]
    day = BucketWidth.DAY
    starts = [np.arange(day.floor(run.start), run.end, day.seconds, dtype=np.int64) for run in runs]
    return np.unique(np.concatenate(starts)) if starts else np.empty(0, np.int64)


def _whole_coverages(parts: Iterable[Part]) -> list[Coverage]:
    """Return one coverage for each profile and dataset: its grains have the same counts, and each a part of it."""
    whole: dict[tuple[str, str], Coverage] = {}
    parts = list(parts)
    for part in [part for part in parts if not part.dataset.service] or parts:
        source = part.profile, dataset_name(part.dataset.name)
        known = whole.get(source)
        read = (*known.read, *part.coverage.read) if known is not None else part.coverage.read
        whole[source] = replace(part.coverage, read=tuple(sorted(read, key=lambda run: run.start)))
    return list(whole.values())


def _in_unit(coverage: Coverage, unit: BucketWidth) -> Coverage:
    """Return the same coverage, counted in buckets of a finer or equal unit."""
    weight = coverage.unit.seconds // unit.seconds
    return replace(
        coverage,
        unit=unit,
        expected=coverage.expected * weight,
        stored=coverage.stored * weight,
        future_buckets=coverage.future_buckets * weight,
        may_grow=coverage.may_grow * weight,
    )


def column_name(combined: Dataset, dataset: Dataset, name: str) -> str:
    """Return the name in a combined dataset of a figure of one of its datasets.

    The amounts of spend that belong to a usage dataset are its figure `cost`.
    """
    if dataset.service:
        same = name if name in SAVINGS else f"{dataset.name}.{name}"
        return COST_PARTS.get(name, same)
    qualified = f"{dataset_name(dataset.name)}.{name}"
    return qualified if combined.has_column(qualified) else name


def join_datasets(name: str, label: str, datasets: Sequence[Dataset]) -> Dataset:
    """Describe several datasets joined on the dimensions that all of them have: their figures side by side.

    A figure that only one dataset has keeps its name; others are called `<dataset>.<name>`. The dimensions are the
    shared ones and those that hold a metric's unit, as amounts in different units are never added. A row has null
    in a dimension that its dataset lacks. Raises ValueError if the datasets share no dimension or no bucket width.
    """
    first, *others = datasets
    units = {metric.unit_from for dataset in datasets for metric in dataset.metrics}
    shared = [item for item in first.dimensions if all(other.has_dimension(item.name) for other in others)]
    every = {item.name: item for dataset in datasets for item in dataset.dimensions if item.name in units}
    limits = {
        width: limit
        for width, limit in first.page_limits.items()
        if all(width in other.page_limits for other in others)
    }
    if not shared or not limits:
        raise ValueError(f"{name}: the datasets share no dimension or no bucket width.")
    names = [column.name for dataset in datasets for column in dataset.columns]
    renamed = [_qualified(dataset, {item for item in names if names.count(item) > 1}) for dataset in datasets]
    return Dataset(
        name=name,
        label=label,
        path="",
        object="",
        dimensions=tuple(({item.name: item for item in shared} | every).values()),
        metrics=tuple(metric for dataset in renamed for metric in dataset.metrics),
        page_limits=limits,
        default_columns=tuple(column for dataset in renamed for column in dataset.default_columns),
        default_grouping=tuple(item.name for item in shared if item.name in first.default_grouping),
        derived=tuple(item for dataset in renamed for item in dataset.derived),
        over_time=tuple(item for dataset in renamed for item in dataset.over_time),
    )


def _qualified(dataset: Dataset, names: set[str]) -> Dataset:
    """Return the dataset with these of its figures named `<dataset>.<name>`, also in the formulas of others."""
    new = {item.name: f"{dataset.name}.{item.name}" for item in dataset.columns if item.name in names}

    def renamed(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(new.get(name, name) for name in names)

    def labelled(name: str, label: str) -> str:
        return f"{label}, {dataset.label}" if name in new else label

    return replace(
        dataset,
        metrics=tuple(
            replace(item, name=new.get(item.name, item.name), label=labelled(item.name, item.label))
            for item in dataset.metrics
        ),
        derived=tuple(
            replace(
                item,
                name=new.get(item.name, item.name),
                label=labelled(item.name, item.label),
                numerator=renamed(item.numerator),
                denominator=renamed(item.denominator),
            )
            for item in dataset.derived
        ),
        over_time=tuple(
            replace(
                item,
                name=new.get(item.name, item.name),
                label=labelled(item.name, item.label),
                level=new.get(item.level, item.level),
            )
            for item in dataset.over_time
        ),
        default_columns=renamed(dataset.default_columns),
        identities=(),
    )
