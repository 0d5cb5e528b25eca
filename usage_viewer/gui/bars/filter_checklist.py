"""The checklist that filters by one dimension: search, include or exclude, tick; Enter applies, Esc discards."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QLocale, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPushButton,
    QRadioButton,
    QWidget,
)

from usage_viewer.domain.names import Names
from usage_viewer.domain.view import Filter, Value, ViewState
from usage_viewer.gui.bars.filter_checklist_model import FilterChecklistModel, Index
from usage_viewer.gui.widgets.popup import Popup, RoomyDelegate, outlined
from usage_viewer.gui.widgets.theme import UNIT, plain_label, quiet

HINT = "Space ticks, Ctrl+A ticks all, Enter applies"


class FilterChecklist(Popup):
    """Without a filter all is ticked. A search that is applied without ticking keeps what it found."""

    view_requested = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._view, self._dimension = ViewState(), ""
        self._touched = False
        self.title = plain_label("", self)
        self.include = QRadioButton("&Include", self)
        self.exclude = QRadioButton("E&xclude", self)
        self.search = QLineEdit(self, clearButtonEnabled=True)
        self.all = QCheckBox("&All", self, tristate=True)
        self.count = plain_label("", self)
        self.model = FilterChecklistModel(self)
        self.list = TickList(self)
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
        foot.addWidget(self.cancel_button)
        foot.addWidget(self.apply_button)
        for layout in (head, None, middle):
            if layout is None:
                self.column.addWidget(self.search)
            else:
                self.column.addLayout(layout)
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self.message)
        self.column.addLayout(foot)
        self.setMinimumWidth(40 * UNIT)

    def _follow_palette(self) -> None:
        colours = QPalette(self.palette())
        colours.setColor(QPalette.ColorRole.WindowText, quiet(self.palette()))
        for label in (self.count, self.message):
            label.setPalette(colours)
        for box in (self.all, self.include, self.exclude):
            box.setPalette(outlined(self.palette()))

    def _connect(self) -> None:
        self.search.textChanged.connect(self._on_search)
        self.search.installEventFilter(self)
        self.list.all_wanted.connect(self._tick_all)
        self.all.clicked.connect(self._tick_all)
        self.include.clicked.connect(self._on_way_changed)
        self.exclude.clicked.connect(self._on_way_changed)
        self.model.ticks_changed.connect(self._on_ticked)
        self.cancel_button.clicked.connect(self.close)
        self.apply_button.clicked.connect(self.apply)

    def show_filter(self, view: ViewState, dimension: str, values: Sequence[Value], names: Names) -> None:
        """The filter of `view` on `dimension`, over all `values` that it can have."""
        self._view, self._dimension = view, dimension
        described = view.dataset.dimension(dimension)
        present = view.filter_on(dimension)
        self.title.setText(described.label)
        self.search.setPlaceholderText(f"Search {described.label}")
        self.search.setAccessibleName(f"Search the values of {described.label}")
        self.search.setAccessibleDescription(HINT)
        self.list.setAccessibleName(f"Values of {described.label}")
        self.setAccessibleName(f"Filter by {described.label}")
        self.model.set_values(described, values, names, values if present is None else present.values)
        self.search.clear()
        self.exclude.setChecked(present is not None and present.exclude)
        self.include.setChecked(present is None or not present.exclude)
        self._touched = False
        self._follow_palette()
        self._show_counts()
        self.list.setCurrentIndex(self.model.index(0, 0))
        self.search.setFocus()

    def apply(self) -> None:
        view = self.wanted_view()
        self.close()
        if view != self._view:
            self.view_requested.emit(view)

    def wanted_view(self) -> ViewState:
        """The view that the draft stands for."""
        exclude, ticked = self.exclude.isChecked(), self.model.ticked
        if not self._touched:
            if not self._searching():
                return self._view
            ticked = frozenset(self.model.listed)
        if not exclude and len(ticked) == len(self.model.values):
            return self._view.without_filter(self._dimension)
        return self._view.with_filter(Filter(self._dimension, ticked, exclude))

    def _searching(self) -> bool:
        """A search that has found some, not all."""
        return self.model.narrowed and self.model.rowCount() > 0

    # What the user does

    def _on_search(self, text: str) -> None:
        self.model.narrow(text)
        self.list.setCurrentIndex(self.model.index(0, 0))
        self._show_counts()

    def _tick_all(self) -> None:
        self.model.tick_listed(self.model.listed_state() != Qt.CheckState.Checked)

    def _on_ticked(self) -> None:
        self._touched = True
        self._show_counts()

    def _on_way_changed(self) -> None:
        """All included is nothing excluded: such ticks turn with the way, others stay and turn their meaning."""
        every, ticked = frozenset(self.model.values), self.model.ticked
        if self.exclude.isChecked() and ticked == every:
            self.model.tick_only(())
        elif self.include.isChecked() and not ticked:
            self.model.tick_only(every)
        self._touched = self._touched or ticked != every
        self._show_counts()

    def _show_counts(self) -> None:
        number = QLocale().toString
        ticked, total = len(self.model.ticked), len(self.model.values)
        self.count.setText(f"{number(ticked)} of {number(total)}")
        self.all.setCheckState(self.model.listed_state())
        self.all.setText(f"&All {number(self.model.rowCount())} found" if self.model.narrowed else "&All")
        self.all.setEnabled(self.model.rowCount() > 0)
        self.message.setText(self._meaning())

    def _meaning(self) -> str:
        if not self.model.values:
            return "There are no values in this range."
        if self.model.narrowed and not self.model.rowCount():
            return "Nothing is called so."
        verb = "excludes" if self.exclude.isChecked() else "keeps"
        if not self._touched and self._searching():
            return f"Enter {verb} the {QLocale().toString(self.model.rowCount())} found."
        if self.include.isChecked() and not self.model.ticked:
            return "Nothing is ticked: nothing will be shown."
        return HINT

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """From the search line, Up and Down go to the list, and Ctrl+A ticks all."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self.list.setFocus()
                return True
            if event.key() == Qt.Key.Key_A and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
                self._tick_all()
                return True
        return super().eventFilter(watched, event)


class TickList(QListView):
    """Space and a click anywhere on a row tick it."""

    all_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)  # the first rows at once, however many there are
        self.setBatchSize(2000)
        self.setItemDelegate(RoomyDelegate(self))
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(240)
        self._state_before: object = None
        self.pressed.connect(self._on_pressed)
        self.clicked.connect(self._on_clicked)

    def _on_pressed(self, index: QModelIndex) -> None:
        self._state_before = index.data(Qt.ItemDataRole.CheckStateRole)

    def _on_clicked(self, index: QModelIndex) -> None:
        """A click on the box has ticked already; one beside it ticks now."""
        if index.data(Qt.ItemDataRole.CheckStateRole) == self._state_before:
            self._turn(index)

    def _turn(self, index: QModelIndex) -> None:
        on = index.data(Qt.ItemDataRole.CheckStateRole) != Qt.CheckState.Checked
        state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        self.model().setData(index, state, Qt.ItemDataRole.CheckStateRole)

    def dataChanged(self, first: Index, last: Index, roles: Sequence[int] = ()) -> None:
        """Ticks don't change any row's size: without a new layout of all rows, which QListView would begin."""
        QAbstractItemView.dataChanged(self, first, last, roles)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_A and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.all_wanted.emit()
        elif event.key() == Qt.Key.Key_Space and self.currentIndex().isValid():
            self._turn(self.currentIndex())
        else:
            super().keyPressEvent(event)
