"""Provides the button that chooses what the columns are: figures, or one figure by periods or by a dimension."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from usage_viewer.domain.pivoted_view import pivoted_by, why_not_pivoted
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD
from usage_viewer.gui.bars.menu_choices import MenuChoice
from usage_viewer.gui.widgets.mnemonics import mend_letters, with_letters
from usage_viewer.gui.widgets.plain_text import menu_text
from usage_viewer.gui.widgets.spacing import UNIT
from usage_viewer.gui.workspace.locale_week import week_start

FIGURES = ""
"""The key of the choice of figures as columns."""


class PivotChoice(MenuChoice):
    """Chooses the columns: figures, the periods, or the values of a dimension; then their figure and shading."""

    view_requested = Signal(object)  # ViewState

    def __init__(self, now: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent, name="Pivot", shortcut="Alt+A")
        self._now = now
        self._unavailable: dict[str, str] = {}
        self._shown_state: object = None
        self.figure_menu = QMenu("Fi&gure", self)
        self.shading = QAction("&Shade cells by size", self, checkable=True)
        self.shading.triggered.connect(self._shade)

    def minimumSizeHint(self) -> QSize:
        """Return room for a short choice: a longer one is cut, and the tooltip has it."""
        return QSize(18 * UNIT, self.sizeHint().height())

    def show_view(self, view: ViewState, unavailable: Mapping[str, str] | None = None) -> None:
        """Show the columns of a view.

        `unavailable` holds the dimensions that are not available for this organization, with the reason; None keeps
        those of the last call.
        """
        if unavailable is not None:
            self._unavailable = dict(unavailable)
        self._view, pivot = view, view.pivot
        state = (view.dataset, self._unavailable)
        if state != self._shown_state:
            self._shown_state = state
            self._build_menu()
        refusal = why_not_pivoted(view)
        for key in self._actions:
            own = pivot is not None and pivot.by == key
            self._set_unavailable(key, "" if key == FIGURES or own else refusal or self._unavailable.get(key, ""))
        self._actions[FIGURES if pivot is None else pivot.by].setChecked(True)
        self.figure_menu.setEnabled(pivot is not None)
        self.shading.setEnabled(pivot is not None)
        self.shading.setChecked(pivot is not None and pivot.shaded)
        for action in self.figure_menu.actions():
            action.setChecked(pivot is not None and action.data() == pivot.figure)
        if pivot is None:
            self.show_choice("Figures", prefix="Columns")
        else:
            by = view.per.value.capitalize() if pivot.by == PERIOD else view.dataset.dimension(pivot.by).label
            self.show_choice(f"{view.dataset.column(pivot.figure).label} by {by}", prefix="Columns")

    def _build_menu(self) -> None:
        data = self._view.dataset
        self._menu.clear()  # it deletes its own actions
        self._actions = {}
        self._add(FIGURES, "&Figures")
        self._add(PERIOD, "&Periods")
        self._menu.addSeparator()
        dimensions = [item for item in data.dimensions if not item.name.startswith("extra.")]
        for dimension, text in zip(dimensions, with_letters([item.label for item in dimensions]), strict=True):
            self._add(dimension.name, text)
        self._menu.addSeparator()
        self._menu.addMenu(self.figure_menu)
        self._menu.addAction(self.shading)
        self._build_figures()
        mend_letters(self._menu)

    def _build_figures(self) -> None:
        self.figure_menu.clear()
        group = QActionGroup(self.figure_menu)
        for figure in self._view.dataset.columns:
            action = QAction(menu_text(figure.label), self.figure_menu, checkable=True)
            action.setData(figure.name)
            action.triggered.connect(lambda _checked=False, name=figure.name: self._choose_figure(name))
            group.addAction(action)
            self.figure_menu.addAction(action)

    def _choose(self, key: str) -> None:
        self._request(pivoted_by(self._view, key, self._now(), week_start(self.locale())))

    def _choose_figure(self, name: str) -> None:
        if self._view.pivot is not None:
            self._request(self._view.with_pivot(replace(self._view.pivot, figure=name)))

    def _shade(self, shaded: bool) -> None:
        if self._view.pivot is not None:
            self._request(self._view.with_pivot(replace(self._view.pivot, shaded=shaded)))

    def _request(self, view: ViewState) -> None:
        if view != self._view:
            self.view_requested.emit(view)
