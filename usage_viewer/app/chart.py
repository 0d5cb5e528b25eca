"""Loads what a chart shows of a view: from the table itself, or by one more look at the store."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np

from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.session.session import Session
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import Figure
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.compared_view import ComparedView
from usage_viewer.domain.comparison import Comparison, counterparts
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.row_change_column import GONE, RowChangeColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import NEW_OR_GONE
from usage_viewer.domain.zones import zone_name
from usage_viewer.query.chart_buckets import ChartBuckets, chart_buckets, choose_periods, known_periods
from usage_viewer.query.chart_series import ChartSeries, compared_totals, is_stackable, line, parts_of, stack
from usage_viewer.query.heat_map import HeatMap, heat_map

NO_HOURS = "{} has no hours."
NOT_ADDED = "{} can't be added up, so the heat map can't show it. Choose another figure."
NO_SEARCH = "{} can't be shown together with a search."


class ChartFace(StrEnum):
    """Names the two forms of a chart."""

    BARS = "bars"
    HEAT_MAP = "heat-map"


@dataclass(frozen=True, slots=True)
class ChartRequest:
    """Says what to chart.

    `figure` is the name of the figure. At most about `most_buckets` buckets are drawn: more are summed to longer
    ones. `week_start`: first day of the week, Monday is 0. `named`: whether ids get their names.
    """

    figure: str
    face: ChartFace = ChartFace.BARS
    most_buckets: int = 400
    week_start: int = 0
    named: bool = True


@dataclass(frozen=True, slots=True)
class PictureOptions:
    """Says how a picture of a chart is drawn: `form` is `png` or `svg`; sizes are in pixels of the chart."""

    form: str
    width: int = 960
    height: int = 420
    dark: bool = False


@dataclass(frozen=True)
class Chart:
    """Holds the content of a chart.

    `result` is the result that the numbers come from. `series` are the bars or the line, `heat_map` the other form;
    the one that was not asked for is None. Without both, `problem` says why. `summed` is the granularity of buckets
    that are longer than the table's periods. `notes` are sentences about how the chart differs from the table.
    `is_of_table` tells whether the chart shows the rows of the table.
    """

    request: ChartRequest
    result: ViewResult
    series: ChartSeries | None = None
    heat_map: HeatMap | None = None
    problem: str = ""
    summed: Granularity | None = None
    notes: tuple[str, ...] = ()
    is_of_table: bool = False

    @property
    def figure(self) -> Figure:
        """The charted figure."""
        return self.result.effective_view.dataset.column(self.request.figure)

    @property
    def lacks_hours(self) -> bool:
        """Whether a heat map is empty only because the range was not loaded by the hour."""
        return self.heat_map is not None and self.heat_map.empty and not self.problem


def charted_figure(view: ViewState, chosen: str = "", last: str = "") -> str:
    """Return the name of the figure to chart: the chosen one, the sorted one, the last one or the dataset's first.

    A figure that the table does not show is passed over.
    """
    shown = view.shown_columns
    sorted_by = [key.column.name for key in view.order if key.column.is_plain or key.column.is_of_comparison]
    candidates = (chosen, *sorted_by, last, view.dataset.default_columns[0])
    return next((name for name in candidates if name in shown), shown[0])


def load_chart(
    session: Session, result: ViewResult, request: ChartRequest, cancellation: Cancellation | None = None
) -> Chart:
    """Chart a figure of `result`, from what is stored; never uses the network.

    Raises Cancelled, StoreError, InputError.
    """
    if request.face is ChartFace.HEAT_MAP:
        return _load_heat_map(session, result, request, cancellation)
    figure = result.effective_view.dataset.column(request.figure)
    if not is_stackable(figure) and figure.statistic is not None and result.view.search:
        return Chart(request, result, problem=NO_SEARCH.format(figure.label))
    source, notes = _source(session, result, request, figure, cancellation)
    buckets = _buckets(source, request)
    if is_stackable(figure):
        series = _with_compared(stack(source.table, figure, buckets), source, request.week_start)
    else:
        series = line(source.table, figure, source.effective_view.dataset, buckets)
    return Chart(
        request,
        source,
        series,
        problem=series.problem,
        summed=None
        if result.effective_view.per in (Granularity.TOTAL, buckets.periods.per)
        else buckets.periods.per,
        notes=notes,
        is_of_table=source is result,
    )


def _with_compared(series: ChartSeries, source: ViewResult, week_start: int) -> ChartSeries:
    """Return the series with the totals of the compared period, if there is one and the units are the same."""
    other = source.compared
    column = None if other is None else source.table.find_figure(ColumnKey(series.figure.name, compared=True))
    if other is None or column is None or series.problem:
        return series
    view = other.effective_view
    assert isinstance(view, ComparedView)
    own_of = counterparts(view.moved_bounds(source.now, week_start))
    known = known_periods(other.coverage, own_of, len(source.coverage.periods))
    return replace(series, compared=compared_totals(series, source.table, column, known))


def _source(
    session: Session,
    result: ViewResult,
    request: ChartRequest,
    figure: Figure,
    cancellation: Cancellation | None,
) -> tuple[ViewResult, tuple[str, ...]]:
    """Return the result to chart: the table's own, or one more of the same range; and sentences about it."""
    view = result.effective_view
    names = parts_of(figure)
    is_by_column = view.pivot is not None and not view.grouping  # bars of one part say less than the columns
    if view.has_period_rows and not is_by_column and is_stackable(figure) and _has(result, names):
        return result, ()
    view = _without_pivot(view)
    per: Granularity = Granularity.DAY if view.per is Granularity.TOTAL else view.per
    if figure.statistic is not None:  # a mean or a peak of longer buckets is not made of those of shorter ones
        fine = replace(view, per=per).periods(result.now, request.week_start)
        per = choose_periods(fine, request.most_buckets, request.week_start).per
    grouping = view.grouping if figure.statistic is None else ()
    asked = replace(view.with_grouping(grouping), per=per, columns=names, order=(), include_empty=False)
    if not is_stackable(figure):  # the line of a quotient is that of the shown period alone
        asked = replace(asked, compare=Comparison.NONE)
    source = session.look(asked, cancellation, named=request.named)
    if source.coverage.complete or not result.coverage.complete or view.per is not Granularity.TOTAL:
        return source, ()
    return _in_utc(session, source, asked, request, cancellation)


def _without_pivot(view: ViewState) -> ViewState:
    """Return the view whose groups are the rows of a pivot; if it has one row, its columns."""
    return replace(view, pivot=None, grouping=view.grouping or view.dimensions)


def _has(result: ViewResult, names: Sequence[str]) -> bool:
    return all(result.table.find_figure(ColumnKey(name)) is not None for name in names)


def _in_utc(
    session: Session,
    source: ViewResult,
    asked: ViewState,
    request: ChartRequest,
    cancellation: Cancellation | None,
) -> tuple[ViewResult, tuple[str, ...]]:
    """Return the same range by the days of UTC, or `source` if they are not complete either.

    A total in another zone is stored in days of UTC, and in hours at its ends.
    """
    span = source.coverage.periods.span
    start, end = (datetime.fromtimestamp(moment, UTC).replace(tzinfo=None) for moment in (span.start, span.end))
    by_utc = session.look(
        replace(asked, zone="UTC", range=DateRange(None, start, end)), cancellation, named=request.named
    )
    if not by_utc.coverage.complete:
        return source, ()
    zone = zone_name(source.coverage.periods.zone, span.start)
    return by_utc, (f"Days of UTC: the days of {zone} are loaded when the table shows them.",)


def _buckets(source: ViewResult, request: ChartRequest) -> ChartBuckets:
    coverage, period = source.coverage, source.table.period
    occupied = np.empty(0, np.int64)
    if period is not None:
        marks = source.table.by_key.get(ColumnKey(NEW_OR_GONE))
        index = period.index if not isinstance(marks, RowChangeColumn) else period.index[marks.codes != GONE]
        occupied = np.flatnonzero(np.bincount(index))
    coarse = choose_periods(coverage.periods, request.most_buckets, request.week_start)
    return chart_buckets(coarse, coverage, source.statuses, source.ungranted, source.now, occupied)


def _load_heat_map(
    session: Session, result: ViewResult, request: ChartRequest, cancellation: Cancellation | None
) -> Chart:
    view = result.effective_view
    figure = view.dataset.column(request.figure)
    if not (is_stackable(figure) and figure.sums_over_time):
        return Chart(request, result, problem=NOT_ADDED.format(figure.label))
    if view.per is Granularity.HOUR and view.has_period_rows and _has(result, (figure.name,)):
        source = result
    else:
        asked = replace(
            view, pivot=None, per=Granularity.HOUR, columns=(figure.name,), order=(), include_empty=False
        )
        asked = replace(asked, compare=Comparison.NONE)
        source = session.look(asked, cancellation, named=request.named)
    if source.effective_view.per is not Granularity.HOUR:
        return Chart(request, source, problem=NO_HOURS.format(view.dataset.label))
    if source.table.figure(figure.name).unit_from:
        return Chart(request, source, problem="Amounts in different units can't be added. Filter to one unit.")
    buckets = _buckets(source, replace(request, most_buckets=len(source.coverage.periods)))
    return Chart(request, source, heat_map=heat_map(source.table, figure, buckets), is_of_table=False)
