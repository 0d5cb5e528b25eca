"""Builds the menus of headers and cells; each entry requests a view."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from usage_viewer.domain.table import Column
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.table.column_choice import USUAL, ColumnChoice
from usage_viewer.gui.table.columns_menu import ColumnsMenu, RequestView
from usage_viewer.gui.widgets.mnemonics import mend_letters, with_letters
from usage_viewer.gui.widgets.plain_text import menu_text

_LONGEST_VALUE = 40
"""Characters of a value in a menu."""
COPY_FORMATS = (
    ("&TSV without headers", "tsv"),
    ("CS&V without headers", "csv"),
    ("&Markdown", "markdown"),
    ("&JSON (raw numbers, ids)", "json"),
)
"""Entries of *Copy as* and the names of their formats; "" is the plain copy."""


COPY = "copy"
"""The data of the entry that copies rows."""
COPY_CELL_KEY = "Ctrl+Shift+C"


def move_column(view: ViewState, name: str, before: str) -> ViewState | None:
    """Return the view after a column was dropped before another one ("": at the end); None if nothing changes.

    Figures move among figures and dimensions among dimensions.
    """
    if name in view.grouping:
        names = _moved_in(view.grouping, name, before, view.keys)
        return None if names == view.grouping else view.with_grouping(names)
    if name in view.shown_columns and view.pivot is None:
        names = _moved_in(view.shown_columns, name, before, view.keys)
        return None if names == view.shown_columns else view.with_columns(names)
    return None


def _moved_in(kind: Sequence[str], name: str, before: str, every: Sequence[str]) -> tuple[str, ...]:
    others = [other for other in kind if other != name]
    end = every.index(before) if before in every else len(every)
    place = sum(every.index(other) < end for other in others)
    return (*others[:place], name, *others[place:])


def header_menu(
    column: Column,
    view: ViewState,
    request: RequestView,
    fit: Callable[[], None],
    parent: QWidget,
    choice: ColumnChoice = USUAL,
) -> QMenu:
    """Build the menu of a column's header; `fit` sizes the column to its contents."""
    menu = QMenu(parent)
    add_sorting(menu, column, view, request)
    menu.addSeparator()
    _add(menu, "Si&ze to contents", fit)
    figures = choice.explicit(view)
    if view.pivot is not None and view.dataset.has_column(column.name):
        _add(menu, "&Figures as columns", lambda: request(view.with_pivot(None)))
    elif figures.dataset.has_column(column.name):
        others = [name for name in figures.shown_columns if name != column.name]
        hide = _add(menu, "&Hide column", lambda: request(view.with_columns(others)))
        hide.setEnabled(bool(others) and column.name in figures.shown_columns)
    elif view.dataset.has_dimension(column.name):
        _add(menu, "&Ungroup", lambda: request(view.toggled(column.name)))
    menu.addSeparator()
    menu.addMenu(ColumnsMenu(view, request, menu, choice))
    return menu


def add_sorting(menu: QMenu, column: Column, view: ViewState, request: RequestView) -> None:
    """Add the entries that sort by a column, alone or in addition to others."""
    key = column.key
    _add(menu, "Sort &ascending", lambda: request(view.with_order([SortKey(key)])))
    _add(menu, "Sort &descending", lambda: request(view.with_order([SortKey(key, descending=True)])))
    if view.order and all(other.column != key for other in view.order):
        added = view.sorted_by(key, add=True, descending_first=column.largest_first)
        _add(menu, "A&lso sort by this", lambda: request(added))
    if view.order:
        _add(menu, "Do&n't sort", lambda: request(view.with_order(())))


def cell_menu(
    column: Column,
    row: int,
    view: ViewState,
    request: RequestView,
    copy: Callable[[str], None],
    parent: QWidget,
    choice: ColumnChoice = USUAL,
) -> QMenu:
    """Build the menu of a cell in the table's row `row`; `copy` takes a format's name of `COPY_FORMATS`."""
    menu = QMenu(parent)
    member = column.member(row)
    if member is not None:
        dimension, value = member.dimension, member.value
        label = menu_text(_shortened(member.label))
        _add(menu, f"&Filter to “{label}”", lambda: request(view.only(dimension, value)))
        _add(menu, f"&Exclude “{label}”", lambda: request(view.excluding(dimension, value)))
        menu.addSeparator()
    rows = _add(menu, "&Copy", lambda: copy(""))
    rows.setShortcut(QKeySequence.StandardKey.Copy)
    rows.setData(COPY)
    formats = menu.addMenu("Copy &as")
    for text, name in COPY_FORMATS:
        _add(formats, text, partial(copy, name))
    menu.addSeparator()
    menu.addMenu(grouping_menu(view, request, menu))
    add_sorting(menu, column, view, request)
    menu.addSeparator()
    menu.addMenu(ColumnsMenu(view, request, menu, choice))
    return menu


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_VALUE else f"{label[: _LONGEST_VALUE - 1]}…"


def grouping_menu(view: ViewState, request: RequestView, parent: QWidget) -> QMenu:
    """Build the menu that adds dimensions to the grouping or removes them."""
    menu = QMenu("&Group by", parent)
    dimensions = view.dataset.dimensions
    for dimension, text in zip(dimensions, with_letters([item.label for item in dimensions]), strict=True):
        action = QAction(text, menu, checkable=True, checked=dimension.name in view.grouping)
        action.triggered.connect(lambda _checked=False, name=dimension.name: request(view.toggled(name)))
        menu.addAction(action)
    return menu


def _add(menu: QMenu, text: str, act: Callable[[], None]) -> QAction:
    action = QAction(text, menu)
    action.triggered.connect(lambda _checked=False: act())
    menu.addAction(action)
    return action


def add_copies(menu: QMenu, rows_text: str, copy_cell: Callable[[], None], copy_row: Callable[[], None]) -> None:
    """Say in the menu of a cell which rows *Copy* takes, and add copies of the cell and of its row."""
    rows = next(action for action in menu.actions() if action.data() == COPY)
    rows.setText(f"&Copy {rows_text}")
    place = menu.actions()[menu.actions().index(rows) + 1]
    cell, row = QAction("Copy cell &value", menu), QAction("Copy this &row", menu)
    cell.setShortcut(QKeySequence(COPY_CELL_KEY))
    cell.triggered.connect(copy_cell)
    row.triggered.connect(copy_row)
    menu.insertActions(place, [cell, row])


def pop_up(menu: QMenu, point: QPoint) -> None:
    """Open a menu that is deleted when it closes."""
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    mend_letters(menu)
    menu.popup(point)
