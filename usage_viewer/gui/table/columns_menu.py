"""Defines `ColumnsMenu`, the checklist that chooses the figures shown as columns."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import cast

from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu, QWidget

from usage_viewer.domain.cost_figures import COST_FIGURES, with_costs, without_costs
from usage_viewer.domain.dataset import NEWER, Dataset, Extras, extra_label, is_extra
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.column_choice import USUAL, ColumnChoice
from usage_viewer.gui.widgets.plain_text import menu_text

RequestView = Callable[[ViewState], None]


class ChecklistMenu(QMenu):
    """Stays open while its entries are checked."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Check an entry without closing the menu."""
        action = cast("QAction | None", self.actionAt(event.position().toPoint()))
        if action is not None and action.isCheckable():
            if action.isEnabled():
                action.trigger()
        else:
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Check an entry with Space without closing the menu."""
        action = cast("QAction | None", self.activeAction())
        if event.text() == " " and action is not None and action.isCheckable():
            action.trigger()
        else:
            super().keyPressEvent(event)


class ColumnsMenu(ChecklistMenu):
    """Lists the dataset's figures; at least one stays checked. A pivot has only one."""

    def __init__(
        self, view: ViewState, request: RequestView, parent: QWidget, choice: ColumnChoice = USUAL
    ) -> None:
        super().__init__("&Columns", parent)
        self._view, self._choice = view, choice
        self._request = request
        self._figure_actions: dict[str, QAction] = {}
        self.defaults = QAction("&Default columns", self)
        self.defaults.triggered.connect(lambda _checked=False: self._apply(self._view.with_columns(())))
        self.addAction(self.defaults)
        for title, names in column_sections(view.dataset):
            self.addSection(title)
            for name in names:
                figure = with_costs(view.dataset).column(name)
                self._add_figure(name, figure.label, figure.help)
        self._add_extras(choice.extras)
        self.setToolTipsVisible(True)
        self._update_checks()

    def activate_first_figure(self) -> None:
        """Move the keyboard to the first figure: Enter on *Default columns* would replace the user's choice."""
        self.setActiveAction(next(iter(self._figure_actions.values())))

    def _add_extras(self, extras: Extras) -> None:
        """Add unknown fields: numbers as figures, others as dimensions."""
        if extras.figures or extras.values:
            self.addSection("New fields")
        for name in extras.figures:
            self._add_figure(name, extra_label(name), NEWER)
        for name in extras.values:
            action = QAction(menu_text(f"Group by {extra_label(name)}"), self, checkable=True)
            action.setChecked(name in self._view.grouping)
            action.setToolTip(NEWER)
            action.triggered.connect(lambda _checked=False, name=name: self._apply(self._view.toggled(name)))
            self.addAction(action)

    def _add_figure(self, name: str, label: str, help_text: str) -> None:
        action = QAction(menu_text(label), self, checkable=True)
        action.setToolTip(help_text)
        action.triggered.connect(lambda checked=False, name=name: self._set_shown(name, checked))
        self._figure_actions[name] = action
        self.addAction(action)

    def _set_shown(self, name: str, shown: bool) -> None:
        if self._view.pivot is not None:  # it has one figure
            self._apply(self._view.with_pivot(replace(self._view.pivot, figure=name)))
            return
        before = self._choice.shown(self._view)
        names = (
            with_column(before, name, self._view.dataset) if shown else [other for other in before if other != name]
        )
        self._apply(self._view.with_columns(names))

    def _apply(self, view: ViewState) -> None:
        self._view = view
        self._update_checks()
        self._request(view)

    def _update_checks(self) -> None:
        shown = self._choice.shown(self._view)
        for name, action in self._figure_actions.items():
            action.setChecked(name in shown)
            action.setEnabled(shown != (name,))
        self.defaults.setEnabled(self._view.pivot is None and bool(self._view.columns))


def column_sections(dataset: Dataset) -> list[tuple[str, list[str]]]:
    """Return the names of all figures in titled sections: default ones, then by first word, then computed ones."""
    defaults, dataset = list(dataset.default_columns), without_costs(dataset)
    beside = with_costs(dataset)
    costs = [name for name in COST_FIGURES if beside.has_column(name) and not dataset.has_column(name)]

    def rest(names: Sequence[str]) -> list[str]:
        return [name for name in names if name not in defaults and not is_extra(name)]

    sections = [("Default", defaults)]
    stored = [*(metric.name for metric in dataset.metrics), *(figure.name for figure in dataset.over_time)]
    more: list[str] = []
    for word, group in groupby(sorted(rest(stored), key=_first_word), key=_first_word):
        names = list(group)
        if len(names) > 1:
            sections.append((word.capitalize(), names))
        else:
            more += names
    computed = rest([item.name for item in dataset.derived] + [item.name for item in dataset.prices])
    sections += [
        (title, names) for title, names in (("More", more), ("Computed", computed), ("Cost", costs)) if names
    ]
    return sections


def _first_word(name: str) -> str:
    return name.partition("_")[0]


def with_column(shown: Sequence[str], name: str, dataset: Dataset) -> list[str]:
    """Return `shown` with `name` inserted after the last figure that precedes it in `column_sections`."""
    every = [other for _, names in column_sections(dataset) for other in names]
    if name not in every:
        return [*shown, name]
    earlier = every[: every.index(name)]
    place = max((shown.index(other) + 1 for other in earlier if other in shown), default=0)
    return [*shown[:place], name, *shown[place:]]
