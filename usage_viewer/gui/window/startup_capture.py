"""Captures the visible table when the window closes, for the next start to paint first."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from usage_viewer.app.settings.startup_table import MAX_ROWS, StartupTable
from usage_viewer.domain.table import Alignment, FigureColumn

if TYPE_CHECKING:
    from usage_viewer.gui.window.main_page import MainPage
    from usage_viewer.gui.workspace.workspace import Workspace

_FIGURE_SPACE = "\N{FIGURE SPACE}"
FINAL_SECONDS = 7 * 86_400
"""How long the table of a range in the past stays valid: only another fetch can change it."""


def capture_startup_table(
    workspace: "Workspace", page: "MainPage", *, geometry: str, scheme: str
) -> StartupTable | None:
    """Return the visible table; None if it is incomplete, filtered by a search, or not what the view asks for."""
    last, model = workspace.last, page.model
    if last is None or workspace.fetching or not page.table.isVisible() or last.view != workspace.view:
        return None
    coverage = last.look.coverage
    if last.view.search or not coverage.complete or not model.rowCount():
        return None
    table, header = page.table, page.table.header
    order = [header.logicalIndex(place) for place in range(header.count()) if not header.isSectionHidden(place)]
    end = int(coverage.periods.bounds[-1])
    return StartupTable(
        valid_from=workspace.now,
        valid_until=end if end > workspace.now else workspace.now + FINAL_SECONDS,
        title=page.window().windowTitle(),
        heading=page.heading,
        status=page.status.coverage_text,
        geometry=geometry,
        scheme=scheme,
        heading_height=page.pane.mapTo(page, QPoint()).y(),
        header_height=header.height(),
        row_height=table.verticalHeader().defaultSectionSize(),
        labels=[model.columns[section].label for section in order],
        right_aligned=[model.columns[section].alignment is Alignment.RIGHT for section in order],
        widths=[header.sectionSize(section) for section in order],
        totals=_totals(page, order),
        rows=[
            [_aligned(str(model.index(row, section).data()), page, section) for section in order]
            for row in range(min(MAX_ROWS, model.rowCount()))
        ],
    )


def _aligned(text: str, page: "MainPage", section: int) -> str:
    """Return an amount's text with spaces as wide as digits for the decimals that only others have."""
    form, column = page.model.form, page.model.columns[section]
    if not isinstance(column, FigureColumn) or not text:
        return text
    more = form.more_decimals(column)
    return text + _FIGURE_SPACE * (more - form.beyond_cents(text, column)) if more else text


def _totals(page: "MainPage", order: list[int]) -> list[str]:
    """Return a total for each column, and in the first column without one what the totals are about."""
    texts = []
    for section in order:
        column = page.model.columns[section]
        total = "" if column.total is None else column.total_text(page.model.form)
        texts.append(_aligned(total, page, section))
    if not texts[0]:
        texts[0] = page.totals.label
    return texts
