"""The menus of the table's heads and cells; each entry asks for a view."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import cast

from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QMenu, QWidget

from usage_viewer.domain.dataset import NEWER, NO_EXTRAS, Dataset, Derived, Extras, extra_label, is_extra
from usage_viewer.domain.table import Column, FigureColumn, GroupColumn
from usage_viewer.domain.view import SortKey, ViewState
from usage_viewer.gui.widgets.plain_text import menu_text

Ask = Callable[[ViewState], None]
_LONGEST = 40
"""Characters of a value in a menu."""
COPY_FORMATS = (
    ("&TSV without headers", "tsv"),
    ("CS&V without headers", "csv"),
    ("&Markdown", "markdown"),
    ("&JSON (raw numbers, ids)", "json"),
)
"""Entries of *Copy as* and the names that they are asked for by; "" is the plain copy."""


class FilterChecklistMenu(QMenu):
    """Stays open while its entries are ticked."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        action = cast("QAction | None", self.actionAt(event.position().toPoint()))
        if action is not None and action.isCheckable():
            if action.isEnabled():
                action.trigger()
        else:
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = cast("QAction | None", self.activeAction())
        if event.text() == " " and action is not None and action.isCheckable():
            action.trigger()
        else:
            super().keyPressEvent(event)


class ColumnsMenu(FilterChecklistMenu):
    """A checklist of the dataset's figures. At least one of them stays."""

    def __init__(self, view: ViewState, ask: Ask, parent: QWidget, extras: Extras = NO_EXTRAS) -> None:
        super().__init__("&Columns", parent)
        self._view = view
        self._ask = ask
        self._ticks: dict[str, QAction] = {}
        self.defaults = QAction("&Default columns", self)
        self.defaults.triggered.connect(lambda _checked=False: self._show(self._view.with_columns(())))
        self.addAction(self.defaults)
        for title, names in column_sections(view.dataset):
            self.addSection(title)
            for name in names:
                item = view.dataset.column(name)
                self._add(name, item.label, item.help)
        self._add_extras(extras)
        self.setToolTipsVisible(True)
        self._mark()

    def _add_extras(self, extras: Extras) -> None:
        """Fields that this version doesn't know: numbers as figures, all others to group by."""
        if extras.figures or extras.values:
            self.addSection("New fields")
        for name in extras.figures:
            self._add(name, extra_label(name), NEWER)
        for name in extras.values:
            action = QAction(menu_text(f"Group by {extra_label(name)}"), self, checkable=True)
            action.setChecked(name in self._view.grouping)
            action.setToolTip(NEWER)
            action.triggered.connect(lambda _checked=False, name=name: self._show(self._view.toggled(name)))
            self.addAction(action)

    def _add(self, name: str, label: str, text: str) -> None:
        action = QAction(menu_text(label), self, checkable=True)
        action.setToolTip(text)
        action.triggered.connect(lambda checked=False, name=name: self._tick(name, checked))
        self._ticks[name] = action
        self.addAction(action)

    def _tick(self, name: str, checked: bool) -> None:
        shown = self._view.shown_columns
        names = with_column(shown, name, self._view.dataset) if checked else [one for one in shown if one != name]
        self._show(self._view.with_columns(names))

    def _show(self, view: ViewState) -> None:
        self._view = view
        self._mark()
        self._ask(view)

    def _mark(self) -> None:
        shown = self._view.shown_columns
        for name, action in self._ticks.items():
            action.setChecked(name in shown)
            action.setEnabled(shown != (name,))
        self.defaults.setEnabled(shown != self._view.dataset.default_columns)


def column_sections(data: Dataset) -> list[tuple[str, list[str]]]:
    """The figures in titled groups: the default ones, then those whose names begin alike, then computed ones."""
    shown = list(data.default_columns)
    rest = [item for item in data.columns if item.name not in shown and not is_extra(item.name)]
    sections = [("Default", shown)]
    plain = sorted((item.name for item in rest if not isinstance(item, Derived)), key=_first_word)
    more: list[str] = []
    for word, group in groupby(plain, key=_first_word):
        names = list(group)
        if len(names) > 1:
            sections.append((word.capitalize(), names))
        else:
            more += names
    computed = [item.name for item in rest if isinstance(item, Derived)]
    sections += [(title, names) for title, names in (("More", more), ("Computed", computed)) if names]
    return sections


def _first_word(name: str) -> str:
    return name.partition("_")[0]


def with_column(shown: Sequence[str], name: str, data: Dataset) -> list[str]:
    """`name` among the shown ones, behind the last that comes before it in the dataset's own order."""
    whole = [one for _, names in column_sections(data) for one in names]
    if name not in whole:
        return [*shown, name]
    earlier = whole[: whole.index(name)]
    place = max((shown.index(one) + 1 for one in earlier if one in shown), default=0)
    return [*shown[:place], name, *shown[place:]]


def moved(view: ViewState, name: str, before: str) -> ViewState | None:
    """The view after a column was dropped before another ("" at the end): figures move among figures, groups
    among groups, each at the most to its kind's edge. None where nothing changes.
    """
    if name in view.grouping:
        names = _moved_in(view.grouping, name, before, view.keys)
        return None if names == view.grouping else view.with_grouping(names)
    if name in view.shown_columns:
        names = _moved_in(view.shown_columns, name, before, view.keys)
        return None if names == view.shown_columns else view.with_columns(names)
    return None


def _moved_in(kind: Sequence[str], name: str, before: str, whole: Sequence[str]) -> tuple[str, ...]:
    others = [one for one in kind if one != name]
    end = whole.index(before) if before in whole else len(whole)
    place = sum(whole.index(one) < end for one in others)
    return (*others[:place], name, *others[place:])


def header_menu(
    column: Column,
    view: ViewState,
    ask: Ask,
    fit: Callable[[], None],
    parent: QWidget,
    extras: Extras = NO_EXTRAS,
) -> QMenu:
    """The menu of a column's head; `fit` sizes the column to its contents, `extras` are offered as columns."""
    menu = QMenu(parent)
    add_sorting(menu, column, view, ask)
    menu.addSeparator()
    _entry(menu, "Si&ze to contents", fit)
    if isinstance(column, FigureColumn):
        left = [name for name in view.shown_columns if name != column.name]
        hide = _entry(menu, "&Hide column", lambda: ask(view.with_columns(left)))
        hide.setEnabled(bool(left) and column.name in view.shown_columns)
    elif isinstance(column, GroupColumn):
        _entry(menu, "&Ungroup", lambda: ask(view.toggled(column.name)))
    menu.addSeparator()
    menu.addMenu(ColumnsMenu(view, ask, menu, extras))
    return menu


def add_sorting(menu: QMenu, column: Column, view: ViewState, ask: Ask) -> None:
    """Entries that sort by a column alone, or by it too."""
    _entry(menu, "Sort &ascending", lambda: ask(view.with_order([SortKey(column.name)])))
    _entry(menu, "Sort &descending", lambda: ask(view.with_order([SortKey(column.name, descending=True)])))
    if view.order and all(key.column != column.name for key in view.order):
        number = isinstance(column, FigureColumn)
        further = view.sorted_by(column.name, add=True, descending_first=number)
        _entry(menu, "Sort by this &too", lambda: ask(further))
    if view.order:
        _entry(menu, "Do&n't sort", lambda: ask(view.with_order(())))


def cell_menu(
    column: Column, at: int, view: ViewState, ask: Ask, copy: Callable[[str], None], parent: QWidget
) -> QMenu:
    """The menu of a cell of the table's row `at`; `copy` is told the name of a format."""
    menu = QMenu(parent)
    if isinstance(column, GroupColumn):
        code = column.code(at)
        value, label = column.values[code], column.labels[code]
        shown = menu_text(label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…")
        _entry(menu, f"&Filter to “{shown}”", lambda: ask(view.only(column.name, value)))
        _entry(menu, f"&Exclude “{shown}”", lambda: ask(view.excluding(column.name, value)))
        menu.addSeparator()
    _entry(menu, "&Copy", lambda: copy("")).setShortcut(QKeySequence.StandardKey.Copy)
    formats = menu.addMenu("Copy &as")
    for text, name in COPY_FORMATS:
        _entry(formats, text, partial(copy, name))
    menu.addSeparator()
    menu.addMenu(grouping_menu(view, ask, menu))
    add_sorting(menu, column, view, ask)
    menu.addSeparator()
    menu.addMenu(ColumnsMenu(view, ask, menu))
    return menu


def grouping_menu(view: ViewState, ask: Ask, parent: QWidget) -> QMenu:
    menu = QMenu("&Group by", parent)
    for dimension in view.dataset.dimensions:
        action = QAction(menu_text(dimension.label), menu, checkable=True, checked=dimension.name in view.grouping)
        action.triggered.connect(lambda _checked=False, name=dimension.name: ask(view.toggled(name)))
        menu.addAction(action)
    return menu


def _entry(menu: QMenu, text: str, act: Callable[[], None]) -> QAction:
    action = QAction(text, menu)
    action.triggered.connect(lambda _checked=False: act())
    menu.addAction(action)
    return action
