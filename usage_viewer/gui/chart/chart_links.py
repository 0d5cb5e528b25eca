"""Turns places of a chart into views and rows, and selected rows into places; without Qt."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from usage_viewer.app.chart import Chart
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.row_keys import RowKeys, find_rows, keys_of
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import NOT_AVAILABLE, PERIOD, Filter
from usage_viewer.gui.chart.chart_emphasis import Place
from usage_viewer.query.chart_series import ChartSeries, GroupKind

_FINER = {
    Granularity.MONTH: Granularity.DAY,
    Granularity.WEEK: Granularity.DAY,
    Granularity.DAY: Granularity.HOUR,
    Granularity.HOUR: Granularity.MINUTE,
}
_LEAST_WIDTH = {Granularity.HOUR: BucketWidth.HOUR, Granularity.MINUTE: BucketWidth.MINUTE}


def filtered_view(view: ViewState, series: ChartSeries, group: int, *, add: bool = False) -> ViewState | None:
    """Return the view filtered to a series; with `add`, to it and to what the filters let through.

    *Others* of one dimension are what the other series are not. None if no filter can say it: the total, what is
    not available, and *Others* of several dimensions.
    """
    chosen = series.groups[group]
    if chosen.kind is GroupKind.GROUP:
        for dimension, value in chosen.values:
            before = view.filter_on(dimension)
            if not add or before is None:
                view = view.only(dimension, value)
            elif before.exclude:
                view = view.with_filter(Filter(dimension, before.values - {value}, exclude=True))
            else:
                view = view.with_filter(Filter(dimension, before.values | {value}))
        return view
    named = [item.values for item in series.groups if item.kind is GroupKind.GROUP]
    if chosen.kind is not GroupKind.OTHERS or any(len(values) != 1 for values in named):
        return None
    for values in named:
        view = view.excluding(*values[0])
    return view


def ranged_view(view: ViewState, chart: Chart, first: int, last: int) -> ViewState:
    """Return the view of the range of some buckets, both included."""
    bounds, zone = _bounds(chart), view.tzinfo

    def wall(edge: int) -> datetime:
        return datetime.fromtimestamp(int(bounds[edge]), zone).replace(tzinfo=None)

    end = last + 1
    while wall(end) <= wall(first) and end < len(bounds) - 1:  # the clock is put back within these buckets
        end += 1
    return view.with_range(DateRange(None, wall(first), wall(end)))


def opened_view(view: ViewState, chart: Chart, bucket: int) -> ViewState:
    """Return the view of one bucket by the next finer granularity that the dataset has."""
    finer = _FINER.get(_series(chart).buckets.periods.per)
    opened = ranged_view(view, chart, bucket, bucket)
    least = _LEAST_WIDTH.get(finer) if finer is not None else None
    if finer is None or (least is not None and least.seconds < view.dataset.finest.seconds):
        return opened
    return opened.with_per(finer)


def rows_of(table: Table, chart: Chart, place: Place) -> RowKeys:
    """Return the keys of the table's rows that a place shows."""
    series = _series(chart)
    if chart.is_of_table and series.group_of_row is not None and series.bucket_of_row is not None:
        if len(series.group_of_row) != table.rows:  # the table is newer than the chart
            return RowKeys((), ())
        match = np.ones(table.rows, np.bool_)
        if place.down is not None:
            match &= series.group_of_row == place.down
        if place.across is not None:
            match &= series.bucket_of_row == place.across
        return keys_of(table, np.flatnonzero(match))
    if place.down is None or series.groups[place.down].kind is not GroupKind.GROUP or table.period is not None:
        return RowKeys((), ())
    keys = RowKeys(
        tuple(head.name for head in table.heads), (tuple(v for _, v in series.groups[place.down].values),)
    )
    return keys if (find_rows(table, keys) >= 0).all() else RowKeys((), ())


def selected_parts(chart: Chart, keys: RowKeys) -> NDArray[np.bool_] | None:
    """Return which parts of the bars are of selected rows, (g, n); None if no row is selected."""
    series = _series(chart)
    if not keys.parts or not series.groups or not series.is_stacked:
        return None
    bounds = _bounds(chart)
    marked = np.zeros((len(series.groups), len(bounds) - 1), np.bool_)
    known = {group.values: place for place, group in enumerate(series.groups) if group.kind is GroupKind.GROUP}
    by_kind = {group.kind: place for place, group in enumerate(series.groups)}
    for parts in keys.parts:
        named = dict(zip(keys.names, parts, strict=True))
        start = named.pop(PERIOD, None)
        values = tuple((name, value) for name, value in named.items() if not isinstance(value, int))
        kind = GroupKind.UNAVAILABLE if NOT_AVAILABLE in named.values() else GroupKind.OTHERS
        group = known.get(values, by_kind.get(kind if values else GroupKind.TOTAL))
        if group is None:
            continue
        bucket = slice(None)
        if isinstance(start, int):
            index = int(np.searchsorted(bounds, start, side="right")) - 1
            if not 0 <= index < marked.shape[1]:
                continue
            bucket = slice(index, index + 1)
        marked[group, bucket] = True
    return marked if marked.any() else None


def _series(chart: Chart) -> ChartSeries:
    assert chart.series is not None, "a heat map has no series"
    return chart.series


def _bounds(chart: Chart) -> NDArray[np.int64]:
    return _series(chart).buckets.periods.bounds
