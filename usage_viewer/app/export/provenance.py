"""Defines `Provenance`, the line that states the source of a copy's numbers."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from usage_viewer.app.session.result import ViewResult
from usage_viewer.domain.cost_figures import CostCoverage
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.names import Names
from usage_viewer.domain.origin_column import origin_of_table
from usage_viewer.domain.period import Granularity, Periods
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD, Filter
from usage_viewer.domain.zones import zone_name

PROGRAM = "Usage Viewer"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Holds the parts of the line as readable texts; an empty part is left out."""

    dataset_label: str
    range_text: str
    zone: str
    per: str
    grouping: str = ""
    columns_text: str = ""
    filters_text: str = ""
    fetched_at_text: str = ""
    complete_text: str = ""
    cost_text: str = ""
    attribution_text: str = ""
    compared_text: str = ""
    program: str = PROGRAM

    @property
    def text(self) -> str:
        """The parts in one line."""
        parts = (
            self.program,
            self.dataset_label,
            f"{self.range_text} {self.zone}",
            self.compared_text and f"compared with {self.compared_text}",
            self.per,
            self.grouping and f"by {self.grouping}",
            self.columns_text and f"columns: {self.columns_text}",
            self.filters_text and f"filter: {self.filters_text}",
            self.fetched_at_text,
            self.complete_text,
            self.cost_text and f"cost: {self.cost_text}",
            self.attribution_text and f"amounts: {self.attribution_text.replace(' · ', ', ')}",
        )
        return " · ".join(part for part in parts if part)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The parts with their names, one a line."""
        parts = (
            ("Program", self.program),
            ("Dataset", self.dataset_label),
            ("Range", self.range_text),
            ("Compared with", self.compared_text),
            ("Time zone", self.zone),
            ("Rows", self.per),
            ("Grouped by", self.grouping),
            ("Columns", self.columns_text),
            ("Filters", self.filters_text),
            ("Loaded", self.fetched_at_text),
            ("Complete", self.complete_text),
            ("Cost", self.cost_text),
            ("Amounts", self.attribution_text),
        )
        return [(name, text) for name, text in parts if text]

    @property
    def line(self) -> str:
        """The text as a comment."""
        return f"# {self.text}"


def provenance_of_result(result: ViewResult, names: Names) -> Provenance:
    """Return the source line of a result's table."""
    compared, cost, table = result.compared_coverage, result.cost, result.table
    return provenance_of(result.effective_view, result.coverage, names, compared, cost, table)


def provenance_of(
    view: ViewState,
    coverage: Coverage,
    names: Names,
    compared: Coverage | None = None,
    cost: CostCoverage | None = None,
    table: Table | None = None,
) -> Provenance:
    """Return the source line of a table, with the range as it was when the table was built.

    `compared` is the coverage of the period that the view is compared with, `cost` has the days with a known cost,
    `table` the amounts whose attribution is stated.
    """
    data = view.dataset
    return Provenance(
        dataset_label=f"{data.label} ({data.origin})" if data.origin else data.label,
        range_text=_range_text(coverage.periods),
        zone=zone_name(coverage.periods.zone, coverage.periods.span.start),
        per=_rows_text(view, coverage.periods.per),
        grouping=", ".join(view.dataset.dimension(name).label for name in view.grouping),
        columns_text=_columns_text(view),
        filters_text=_filters_text(view, names),
        fetched_at_text=_loaded_text(coverage),
        complete_text=coverage.summary,
        cost_text="" if cost is None else cost.summary,
        attribution_text="" if table is None else origin_of_table(table),
        compared_text="" if compared is None else _compared_text(compared),
    )


def _rows_text(view: ViewState, per: Granularity) -> str:
    text = f"per {per.value}" if view.has_period_rows and per is not Granularity.TOTAL else "whole range"
    return f"{text}, rows without usage included" if view.include_empty else text


def _columns_text(view: ViewState) -> str:
    """Return what a pivot has across, such as "Input by Model"; "" for figures."""
    if view.pivot is None:
        return ""
    by = view.per.value if view.pivot.by == PERIOD else view.dataset.dimension(view.pivot.by).label
    return f"{view.dataset.column(view.pivot.figure).label} by {by}"


def _range_text(periods: Periods) -> str:
    """Return whole days with both ends included, or else times with an exclusive end."""
    span = periods.span
    start, end = (datetime.fromtimestamp(moment, periods.zone) for moment in (span.start, span.end))
    if start.time() == end.time() == time():
        first, last = start.date(), end.date() - timedelta(days=1)
        return f"{first}" if first == last else f"{first} – {last}"
    return f"{start:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M}"


def _compared_text(compared: Coverage) -> str:
    text = _range_text(compared.periods)
    return text if compared.complete else f"{text} ({compared.summary})"


def _filters_text(view: ViewState, names: Names) -> str:
    texts = [_filter_text(view, item, names) for item in view.filters]
    if view.search:
        texts.append(f"search “{view.search}”")
    return "; ".join(texts)


def _filter_text(view: ViewState, chosen: Filter, names: Names) -> str:
    dimension = view.dataset.dimension(chosen.dimension)
    labels = sorted((names.label(dimension, value) for value in chosen.values), key=str.casefold)
    listed = ", ".join(labels) or "nothing"
    return f"{dimension.label}: not {listed}" if chosen.exclude else f"{dimension.label}: {listed}"


def _loaded_text(coverage: Coverage) -> str:
    if coverage.oldest_fetch is None or coverage.newest_fetch is None:
        return "no data loaded"
    oldest, newest = (
        datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")
        for moment in (coverage.oldest_fetch, coverage.newest_fetch)
    )
    return f"loaded {newest} UTC" if oldest == newest else f"loaded {oldest} – {newest} UTC"
