"""Shows a chip for each filter, a menu to add a filter, the search box, and a chip that clears all of them."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QLocale, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QSizePolicy, QWidget

from usage_viewer.domain.catalog import Dimension
from usage_viewer.domain.names import Names
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, Value
from usage_viewer.gui.bars.filter_checklist import FilterChecklist
from usage_viewer.gui.widgets.chip import Chip
from usage_viewer.gui.widgets.flow_row import FlowRow
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.line_edit import LineEdit
from usage_viewer.gui.widgets.plain_text import explain, menu_text
from usage_viewer.gui.widgets.popup import open_menu
from usage_viewer.gui.widgets.theme import UNIT, plain_label

SHORTCUT = "Alt+L"
CLEAR_SHORTCUT = "Ctrl+Shift+L"
SEARCH_DELAY_MS = 80
"""Milliseconds without a key press after which the search begins."""


def filter_text(chosen: Filter, dimension: Dimension, names: Names, total: int) -> str:
    """Return the text of a filter's chip; `total` is the number of all values of the dimension.

    Examples: `Model: gpt-5`, `Model: not gpt-5`, `Project: 3 of 12`.
    """
    if len(chosen.values) == 1:
        values_text = names.label(dimension, next(iter(chosen.values)))
    else:
        number = QLocale().toString
        values_text = f"{number(len(chosen.values))} of {number(total)}"
    return f"{dimension.label}: {'not ' if chosen.exclude else ''}{values_text}"


class SearchBox(LineEdit):
    """Emits the search text when the user pauses typing, or at once on Enter. Esc clears the text."""

    search_changed = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, placeholderText="Search", clearButtonEnabled=True)
        self._pause = QTimer(self, singleShot=True, interval=SEARCH_DELAY_MS)
        self._pause.timeout.connect(self._emit_search)
        self._icon_action = self.addAction(icon("search", self), QLineEdit.ActionPosition.LeadingPosition)
        self._icon_action.setText("Search")
        self.setAccessibleName("Search")
        keys = QKeySequence(QKeySequence.StandardKey.Find)
        native = keys.toString(QKeySequence.SequenceFormat.NativeText)
        self.setAccessibleDescription(f"Shows only the rows whose names or ids contain this text. {native}")
        self.setToolTip(f"Show only the rows whose names or ids contain this text ({native})")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(18 * UNIT)
        self.setMaximumWidth(30 * UNIT)
        self.textEdited.connect(lambda text: self._pause.start())
        self.textChanged.connect(self._on_text_changed)

    def show_text(self, text: str) -> None:
        """Show the search of a view, unless the user is typing."""
        if text != self.text() and not self._pause.isActive():
            blocked = self.blockSignals(True)
            self.setText(text)
            self.blockSignals(blocked)

    def clear_text(self) -> None:
        """Clear the box without a search, also while the user is typing."""
        self._pause.stop()
        self.show_text("")

    def event(self, event: QEvent) -> bool:
        """Leave Ctrl+Z to the window if there is no typing to undo."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and (event.matches(QKeySequence.StandardKey.Undo) and not self.isUndoAvailable())
        ):
            event.ignore()
            return False
        return super().event(event)

    def _on_text_changed(self, text: str) -> None:
        if not text:  # the clear button does not emit textEdited
            self._emit_search()

    def _emit_search(self) -> None:
        self._pause.stop()
        self.search_changed.emit(self.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._emit_search()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._icon_action.setIcon(icon("search", self))


class FilterBar(QWidget):
    """Requests views with other filters or another search.

    `values_of` returns all values (ids) that a dimension, given by name, has in the selected range. `names` returns
    the names of these ids.
    """

    view_requested = Signal(object)  # ViewState
    cleared = Signal()  # the user has removed all filters at once

    def __init__(
        self,
        values_of: Callable[[str], Sequence[Value]],
        names: Callable[[], Names],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._values_of, self._names = values_of, names
        self._view = ViewState()
        self._chips: dict[str, Chip] = {}
        self._row = FlowRow(self)
        self._label = plain_label("Filter", self._row)
        self._label.setToolTip(f"Go to the filters ({SHORTCUT})")
        self.add_chip = self._action_chip("Filter", "Add a filter", addable=True)
        self.clear_chip = self._action_chip("Clear all", f"Clear all filters and the search ({CLEAR_SHORTCUT})")
        self.search = SearchBox(self)
        self.checklist = FilterChecklist(self)
        self.menu = QMenu(self)
        self.menu.setAccessibleName("Filter by")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(UNIT)
        line.addWidget(self._row, 1, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.search, 0, Qt.AlignmentFlag.AlignTop)
        self.setAccessibleName("Filter")
        self._connect()

    def _connect(self) -> None:
        self.add_chip.clicked.connect(self.open_menu)
        self.clear_chip.clicked.connect(self.clear)
        self.search.search_changed.connect(self._on_search_changed)
        self.checklist.view_requested.connect(self.view_requested)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self._focus_search)
        QShortcut(QKeySequence(SHORTCUT), self, self.focus_first)

    def _action_chip(self, text: str, description: str, *, addable: bool = False) -> Chip:
        chip = Chip(self._row, addable=addable)
        chip.hide()  # until the row shows it as one of its items
        chip.show_state(text, active=False)
        chip.setAccessibleName(text if not addable else "Add a filter")
        explain(chip, description)
        return chip

    @property
    def chips(self) -> dict[str, Chip]:
        """Return the chip of each filter, by the name of its dimension."""
        return self._chips

    def show_view(self, view: ViewState) -> None:
        """Show the filters and the search of a view."""
        if view.dataset_name != self._view.dataset_name:  # the open lists show dimensions of the former dataset
            self.menu.hide()
            self.checklist.hide()
        self._view = view
        filtered = [item.dimension for item in view.filters]
        for name in [name for name in self._chips if name not in filtered]:
            self._chips.pop(name).deleteLater()
        for item in view.filters:
            self._show_chip(item)
        clear = [self.clear_chip] if view.filtered else []
        self._row.set_items([self._label, *(self._chips[name] for name in filtered), self.add_chip, *clear])
        QWidget.setTabOrder(self._row.items[-1], self.search)
        self.search.show_text(view.search)

    def _show_chip(self, chosen: Filter) -> None:
        name = chosen.dimension
        if name not in self._chips:
            self._chips[name] = chip = Chip(self._row)
            chip.clicked.connect(lambda: self.open_checklist(name))
            chip.remove_requested.connect(lambda: self.view_requested.emit(self._view.without_filter(name)))
        dimension = self._view.dataset.dimension(name)
        total = 1 if len(chosen.values) == 1 else len({*self._values_of(name), *chosen.values})
        text = filter_text(chosen, dimension, self._names(), total)
        chip = self._chips[name]
        chip.show_state(text, active=True, remove_text=f"Remove the filter on {dimension.label}")
        chip.setAccessibleName(text)
        explain(chip, f"{text}. Click to change the filter; Delete removes it.")
        chip.setAccessibleDescription("Opens the checklist; Delete removes the filter")

    # User actions

    def focus_first(self) -> None:
        """Move the keyboard focus to the first chip."""
        first_chip = self._row.items[1]  # item 0 is the label
        first_chip.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def open_menu(self) -> None:
        """Open the menu of dimensions to filter by; dimensions with a filter are checked."""
        self.menu.clear()
        for dimension in self._view.dataset.dimensions:
            action = self.menu.addAction(menu_text(dimension.label))
            action.setCheckable(True)
            action.setChecked(self._view.filter_on(dimension.name) is not None)
            action.triggered.connect(lambda checked=False, name=dimension.name: self.open_checklist(name))
        open_menu(self.menu, self.add_chip.mapToGlobal(self.add_chip.rect().bottomLeft()))

    def open_checklist(self, dimension: str) -> None:
        """Open the checklist of a dimension's values; `dimension` is its name."""
        if not self._view.dataset.has_dimension(dimension):
            return  # the dataset changed after the click: a menu fades out before its action is triggered
        self.checklist.show_filter(self._view, dimension, self._values_of(dimension), self._names())
        self.checklist.open_under(self._chips.get(dimension, self.add_chip))

    def clear(self) -> None:
        """Remove all filters and the search."""
        if self._view.filtered or self.search.text():
            self.search.clear_text()
            self._request(self._view.without_filters())
            self.cleared.emit()

    def _on_search_changed(self, text: str) -> None:
        self._request(self._view.with_search(text))

    def _focus_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _request(self, view: ViewState) -> None:
        if view != self._view:
            self.view_requested.emit(view)
