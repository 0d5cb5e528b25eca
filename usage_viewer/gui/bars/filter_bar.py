"""*Filter*: a chip for each filter, the way to add one, the search box, and one click that clears them all."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QLocale, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QSizePolicy, QWidget

from usage_viewer.domain.catalog import Dimension
from usage_viewer.domain.names import Names
from usage_viewer.domain.view import Filter, Value, ViewState
from usage_viewer.gui.bars.filter_checklist import FilterChecklist
from usage_viewer.gui.widgets.chip import Chip
from usage_viewer.gui.widgets.flow_row import FlowRow
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.plain_text import menu_text, tip
from usage_viewer.gui.widgets.theme import UNIT, plain_label

SHORTCUT = "Alt+L"
CLEAR_SHORTCUT = "Ctrl+Shift+L"
SEARCH_DELAY_MS = 80


def filter_text(chosen: Filter, dimension: Dimension, names: Names, total: int) -> str:
    """`Model: gpt-5`, `Project: 3 of 12`, `Model: not gpt-5`; `total` is how many values there are."""
    if len(chosen.values) == 1:
        what = names.label(dimension, next(iter(chosen.values)))
    else:
        number = QLocale().toString
        what = f"{number(len(chosen.values))} of {number(total)}"
    return f"{dimension.label}: {'not ' if chosen.exclude else ''}{what}"


class SearchBox(QLineEdit):
    """Asks a moment after the last key; Enter at once; Esc clears."""

    settled = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, placeholderText="Search", clearButtonEnabled=True)
        self._wait = QTimer(self, singleShot=True, interval=SEARCH_DELAY_MS)
        self._wait.timeout.connect(self._settle)
        self._lens = self.addAction(icon("search", self), QLineEdit.ActionPosition.LeadingPosition)
        self.setAccessibleName("Search")
        keys = QKeySequence(QKeySequence.StandardKey.Find)
        native = keys.toString(QKeySequence.SequenceFormat.NativeText)
        self.setAccessibleDescription(f"Shows the rows whose names or ids contain this. {native}")
        self.setToolTip(f"Show the rows whose names or ids contain this ({native})")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(18 * UNIT)
        self.setMaximumWidth(30 * UNIT)
        self.textEdited.connect(lambda text: self._wait.start())
        self.textChanged.connect(self._on_text_changed)

    def show_text(self, text: str) -> None:
        """Doesn't overwrite what is being typed."""
        if text != self.text() and not self._wait.isActive():
            blocked = self.blockSignals(True)
            self.setText(text)
            self.blockSignals(blocked)

    def _on_text_changed(self, text: str) -> None:
        if not text:  # the clear button doesn't count as an edit
            self._settle()

    def _settle(self) -> None:
        self._wait.stop()
        self.settled.emit(self.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._settle()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._lens.setIcon(icon("search", self))


class FilterBar(QWidget):
    """`values_of`: all values of a dimension in the range, ids; `names`: what is known of their names."""

    view_requested = Signal(object)

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
        self._label.setToolTip(f"Go to the filters: {SHORTCUT}")
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
        self.clear_chip.clicked.connect(self._clear)
        self.search.settled.connect(self._on_search)
        self.checklist.view_requested.connect(self.view_requested)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self._focus_search)
        QShortcut(QKeySequence(CLEAR_SHORTCUT), self, self._clear)
        QShortcut(QKeySequence(SHORTCUT), self, self.focus_first)

    def _action_chip(self, text: str, description: str, *, addable: bool = False) -> Chip:
        chip = Chip(self._row, addable=addable)
        chip.hide()  # until it is one of the row's items
        chip.show_state(text, active=False)
        chip.setAccessibleName(text if not addable else "Add a filter")
        chip.setAccessibleDescription(description)
        chip.setToolTip(description)
        return chip

    @property
    def chips(self) -> dict[str, Chip]:
        """By the dimension's name."""
        return self._chips

    def show_view(self, view: ViewState) -> None:
        if (
            view.dataset_name != self._view.dataset_name
        ):  # another one has other dimensions than those that are offered
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
            chip.removed.connect(lambda: self.view_requested.emit(self._view.without_filter(name)))
        dimension = self._view.dataset.dimension(name)
        total = 1 if len(chosen.values) == 1 else len({*self._values_of(name), *chosen.values})
        text = filter_text(chosen, dimension, self._names(), total)
        chip = self._chips[name]
        chip.show_state(text, active=True, remove_text=f"Remove the filter on {dimension.label}")
        chip.setAccessibleName(text)
        chip.setAccessibleDescription("Opens the checklist; Delete removes the filter")
        chip.setToolTip(tip(f"{text}. Click to change it, Delete removes it."))

    # What the user does

    def focus_first(self) -> None:
        first = self._row.items[1]
        first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def open_menu(self) -> None:
        self.menu.clear()
        for dimension in self._view.dataset.dimensions:
            action = self.menu.addAction(menu_text(dimension.label))
            action.setCheckable(True)
            action.setChecked(self._view.filter_on(dimension.name) is not None)
            action.triggered.connect(lambda checked=False, name=dimension.name: self.open_checklist(name))
        self.menu.popup(self.add_chip.mapToGlobal(self.add_chip.rect().bottomLeft()))

    def open_checklist(self, dimension: str) -> None:
        if not self._view.dataset.has_dimension(dimension):
            return  # another dataset came between the click and this: a menu fades away first
        self.checklist.show_filter(self._view, dimension, self._values_of(dimension), self._names())
        self.checklist.open_under(self._chips.get(dimension, self.add_chip))

    def _clear(self) -> None:
        if self._view.filtered or self.search.text():
            self.search.show_text("")
            self._request(self._view.without_filters())

    def _on_search(self, text: str) -> None:
        self._request(self._view.with_search(text))

    def _focus_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _request(self, view: ViewState) -> None:
        if view != self._view:
            self.view_requested.emit(view)
