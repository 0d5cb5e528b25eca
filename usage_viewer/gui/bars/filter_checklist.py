"""Shows a checklist of a dimension's values, to include or exclude them; Enter applies, Esc discards."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QLocale, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QListView,
    QPushButton,
    QRadioButton,
    QWidget,
)

from usage_viewer.domain.names import Names
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, Value
from usage_viewer.gui.bars.filter_checklist_model import FilterChecklistModel, Index
from usage_viewer.gui.widgets.line_edit import LineEdit
from usage_viewer.gui.widgets.popup import Popup, PopupListDelegate, buttons_in_order
from usage_viewer.gui.widgets.theme import UNIT, muted_colour, plain_label

HINT = "Space: tick · Ctrl+A: tick all · Enter: apply"


class FilterChecklist(Popup):
    """Edits the filter on one dimension. Without a filter, all values are ticked.

    If the user searches and applies without ticking anything, the filter consists of the values that match.
    """

    view_requested = Signal(object)  # ViewState

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Filter")
        self._view, self._dimension = ViewState(), ""
        self._ticks_edited = False
        self.title = plain_label("", self)
        self.include = QRadioButton("&Include", self)
        self.exclude = QRadioButton("E&xclude", self)
        self.search = LineEdit(self, clearButtonEnabled=True)
        self.all = QCheckBox("&All", self, tristate=True)
        self.count = plain_label("", self)
        self.model = FilterChecklistModel(self)
        self.list = ChecklistView(self)
        self.list.setModel(self.model)
        self.message = plain_label("", self, wrap=True)
        self.cancel_button = QPushButton("&Cancel", self)
        self.apply_button = QPushButton("A&pply", self)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        head, middle, foot = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        bold = self.title.font()
        bold.setWeight(bold.Weight.DemiBold)
        self.title.setFont(bold)
        head.addWidget(self.title, 1)
        head.addWidget(self.include)
        head.addWidget(self.exclude)
        head.setSpacing(UNIT + 4)
        middle.addWidget(self.all, 1)
        middle.addWidget(self.count)
        foot.addStretch(1)
        foot.addWidget(buttons_in_order(self, self.apply_button, self.cancel_button))
        self.column.addLayout(head)
        self.column.addWidget(self.search)
        self.column.addLayout(middle)
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self.message)
        self.column.addLayout(foot)
        self.setMinimumWidth(40 * UNIT)

    def _follow_palette(self) -> None:
        colours = QPalette(self.palette())
        colours.setColor(QPalette.ColorRole.WindowText, muted_colour(self.palette()))
        for label in (self.count, self.message):
            label.setPalette(colours)

    def _connect(self) -> None:
        self.search.textChanged.connect(self._on_search)
        self.search.installEventFilter(self)
        self.list.toggle_all_requested.connect(self._toggle_all)
        self.all.clicked.connect(self._toggle_all)
        self.include.clicked.connect(self._on_mode_changed)
        self.exclude.clicked.connect(self._on_mode_changed)
        self.model.ticks_changed.connect(self._on_ticks_changed)
        self.cancel_button.clicked.connect(self.close)
        self.apply_button.clicked.connect(self.apply)

    def show_filter(self, view: ViewState, dimension: str, values: Sequence[Value], names: Names) -> None:
        """Show the filter of `view` on the dimension of this name; `values` are all values of the dimension."""
        self._view, self._dimension = view, dimension
        definition = view.dataset.dimension(dimension)
        current = view.filter_on(dimension)
        self.title.setText(definition.label)
        self.search.setPlaceholderText(f"Search {definition.label}")
        self.search.setAccessibleName(f"Search the values of {definition.label}")
        self.search.setAccessibleDescription(HINT)
        self.list.setAccessibleName(f"Values of {definition.label}")
        self.setAccessibleName(f"Filter by {definition.label}")
        self.model.set_values(definition, values, names, values if current is None else current.values)
        self.search.clear()
        self.exclude.setChecked(current is not None and current.exclude)
        self.include.setChecked(current is None or not current.exclude)
        self._ticks_edited = False
        self._follow_palette()
        self._show_counts()
        self.list.setCurrentIndex(self.model.index(0, 0))
        self.search.setFocus()

    def apply(self) -> None:
        """Close, and request the view with the edited filter if it differs from the current view."""
        view = self.draft_view()
        self.close()
        if view != self._view:
            self.view_requested.emit(view)

    def draft_view(self) -> ViewState:
        """Return the view with the edited filter."""
        exclude, ticked = self.exclude.isChecked(), self.model.ticked
        if not self._ticks_edited:
            if not self._search_narrows():
                return self._view
            ticked = frozenset(self.model.listed)
        if not exclude and len(ticked) == len(self.model.values):
            return self._view.without_filter(self._dimension)
        return self._view.with_filter(Filter(self._dimension, ticked, exclude))

    def _search_narrows(self) -> bool:
        """Return whether a search matches some of the values, but not all."""
        return self.model.narrowed and self.model.rowCount() > 0

    # User actions

    def _on_search(self, text: str) -> None:
        self.model.narrow(text)
        self.list.setCurrentIndex(self.model.index(0, 0))
        self._show_counts()

    def _toggle_all(self) -> None:
        """Tick all listed values, or untick them if all are ticked."""
        self.model.tick_listed(self.model.listed_state() != Qt.CheckState.Checked)

    def _on_ticks_changed(self) -> None:
        self._ticks_edited = True
        self._show_counts()

    def _on_mode_changed(self) -> None:
        """Keep the ticks when the user switches between include and exclude, unless they mean "no filter".

        "Include all" becomes "exclude none" and the reverse: neither hides any row.
        """
        all_values, ticked = frozenset(self.model.values), self.model.ticked
        if self.exclude.isChecked() and ticked == all_values:
            self.model.tick_only(())
        elif self.include.isChecked() and not ticked:
            self.model.tick_only(all_values)
        self._ticks_edited = self._ticks_edited or ticked != all_values
        self._show_counts()

    def _show_counts(self) -> None:
        number = QLocale().toString
        ticked, total = len(self.model.ticked), len(self.model.values)
        self.count.setText(f"{number(ticked)} of {number(total)}")
        self.all.setCheckState(self.model.listed_state())
        matches = self.model.rowCount()
        noun = "match" if matches == 1 else "matches"
        self.all.setText(f"&All ({number(matches)} {noun})" if self.model.narrowed else "&All")
        self.all.setEnabled(matches > 0)
        self.message.setText(self._hint_text())

    def _hint_text(self) -> str:
        """Return the hint below the list: the effect of Enter, or the reason why no value is listed."""
        matches = self.model.rowCount()
        if not self.model.values:
            return "There are no values in this range."
        if self.model.narrowed and not matches:
            return "No match."
        if not self._ticks_edited and self._search_narrows():
            verb = "exclude" if self.exclude.isChecked() else "show only"
            return f"Enter: {verb} {'this one' if matches == 1 else f'these {QLocale().toString(matches)}'}"
        if self.include.isChecked() and not self.model.ticked:
            return "No value is ticked: the table will be empty."
        return HINT

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle keys in the search box: Up and Down go to the list, Ctrl+A ticks all."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self.list.setFocus()
                return True
            if event.key() == Qt.Key.Key_A and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
                self._toggle_all()
                return True
        return super().eventFilter(watched, event)


class ChecklistView(QListView):
    """Lists values with check boxes: Space, or a click anywhere on a row, ticks or unticks the row."""

    toggle_all_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)  # shows the first rows at once in a long list
        self.setBatchSize(2000)
        self.setItemDelegate(PopupListDelegate(self))
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(240)
        self._pressed_state: object = None
        self.pressed.connect(self._on_pressed)
        self.clicked.connect(self._on_clicked)

    def _on_pressed(self, index: QModelIndex) -> None:
        self._pressed_state = index.data(Qt.ItemDataRole.CheckStateRole)

    def _on_clicked(self, index: QModelIndex) -> None:
        """Toggle the row, unless the click was on the box: then Qt has toggled it already."""
        if index.data(Qt.ItemDataRole.CheckStateRole) == self._pressed_state:
            self._toggle(index)

    def _toggle(self, index: QModelIndex) -> None:
        ticked = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        state = Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked
        self.model().setData(index, state, Qt.ItemDataRole.CheckStateRole)

    def dataChanged(self, first: Index, last: Index, roles: Sequence[int] = ()) -> None:
        """Repaint only: QListView would lay out all rows again, but a tick does not change the size of a row."""
        QAbstractItemView.dataChanged(self, first, last, roles)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_A and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.toggle_all_requested.emit()
        elif event.key() == Qt.Key.Key_Space and self.currentIndex().isValid():
            self._toggle(self.currentIndex())
        else:
            super().keyPressEvent(event)
