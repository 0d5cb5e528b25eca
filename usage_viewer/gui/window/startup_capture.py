"""Takes down what the window shows, for the next start to paint first."""

from typing import TYPE_CHECKING, Any

from usage_viewer.app.settings.startup_table import MOST_ROWS
from usage_viewer.domain.table import Alignment

if TYPE_CHECKING:
    from usage_viewer.gui.window.main_page import MainPage
    from usage_viewer.gui.workspace.workspace import Workspace

SETTLED_FOR = 7 * 86_400
"""Seconds that a range that has ended is taken to stay as it is: nothing but a fetch changes it."""


def last_look(workspace: "Workspace", page: "MainPage") -> dict[str, Any] | None:
    """What is shown, and from when until when it is; None where a start couldn't show it like that."""
    shown, model = workspace.last, page.model
    if shown is None or workspace.fetching or not page.table.isVisible() or shown.view != workspace.view:
        return None
    if shown.view.search or not shown.look.coverage.complete or not model.rowCount():
        return None
    table, header = page.table, page.table.header
    order = [header.logicalIndex(place) for place in range(header.count()) if not header.isSectionHidden(place)]
    rows = range(min(MOST_ROWS, model.rowCount()))
    end = int(shown.look.coverage.periods.bounds[-1])
    return {
        "kept": workspace.now,
        "until": end if end > workspace.now else workspace.now + SETTLED_FOR,
        "title": page.window().windowTitle(),
        "heading": page.heading,
        "status": page.status.held_text,
        "labels": [model.columns[place].label for place in order],
        "right": [model.columns[place].alignment is Alignment.RIGHT for place in order],
        "widths": [header.sectionSize(place) for place in order],
        "totals": _totals(page, order),
        "rows": [[str(model.index(row, place).data()) for place in order] for row in rows],
        "top": page.pane.y(),
        "header": header.height(),
        "row": table.verticalHeader().defaultSectionSize(),
    }


def _totals(page: "MainPage", order: list[int]) -> list[str]:
    """Under their columns; what they are of, under the first one."""
    texts = []
    for place in order:
        column = page.model.columns[place]
        texts.append("" if column.total is None else column.total_text(page.model.form))
    if not texts[0]:
        texts[0] = page.totals.label
    return texts
