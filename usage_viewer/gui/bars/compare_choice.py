"""Provides the button that chooses the period with which the view is compared."""

from collections.abc import Mapping

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QWidget

from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.pivoted_view import why_not_compared
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.bars.menu_choices import MenuChoice
from usage_viewer.gui.widgets.spacing import UNIT

MENU_LABELS: Mapping[Comparison, str] = {
    Comparison.NONE: "&No comparison",
    Comparison.PREVIOUS: "&Previous period",
    Comparison.MONTH: "Same period last &month",
    Comparison.YEAR: "Same period last &year",
    Comparison.WEEKDAY: "Same &weekdays last year (364 days earlier)",
}
"""Menu texts, with mnemonics."""

BUTTON_LABELS: Mapping[Comparison, tuple[str, str]] = {
    Comparison.NONE: ("", "Compare"),
    Comparison.PREVIOUS: ("vs", "previous"),
    Comparison.MONTH: ("vs", "last month"),
    Comparison.YEAR: ("vs", "last year"),
    Comparison.WEEKDAY: ("vs", "364 days ago"),
}
"""Texts of the button: a muted word and the choice."""


class CompareChoice(MenuChoice):
    """Chooses the comparison: none, the period before, or the same period of an earlier month or year."""

    view_requested = Signal(object)  # ViewState

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, name="Comparison", shortcut="Alt+M")
        self.reserve(" ".join(filter(None, parts)) for parts in BUTTON_LABELS.values())
        for comparison, label in MENU_LABELS.items():
            self._add(comparison, label)
            if comparison is Comparison.NONE:
                self._menu.addSeparator()

    def minimumSizeHint(self) -> QSize:
        """Return room for the whole text: cut, it would not tell one comparison from another."""
        return QSize(self._text_width() + UNIT * 3 + 2, self.sizeHint().height())

    def _choose(self, key: str) -> None:
        view = self._view.with_compare(Comparison(key))
        if view != self._view:
            self.view_requested.emit(view)

    def show_view(self, view: ViewState) -> None:
        """Show the comparison of a view."""
        self._view = view
        refusal = why_not_compared(view)
        for comparison in MENU_LABELS:
            self._set_unavailable(comparison, "" if comparison is Comparison.NONE else refusal)
        self._actions[view.compare].setChecked(True)
        prefix, choice = BUTTON_LABELS[view.compare]
        self.show_choice(choice, prefix=prefix)
