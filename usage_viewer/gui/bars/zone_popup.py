"""A searchable list of time zones."""

from collections.abc import Sequence
from zoneinfo import available_timezones

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListView, QWidget

from usage_viewer.gui.widgets.popup import Popup, RoomyDelegate

LOCAL = "local"
Index = QModelIndex | QPersistentModelIndex


def zone_label(zone: str, here: str) -> str:
    """`here`: the name of this computer's zone, if it has one."""
    if zone == LOCAL:
        return f"This computer ({here.replace('_', ' ')})" if here else "This computer's zone"
    return zone.replace("_", " ")


class ZoneModel(QAbstractListModel):
    """Zones in the order given, narrowed to those whose label contains a text."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[tuple[str, str]] = []
        self._rows: list[tuple[str, str]] = []

    def set_zones(self, zones: Sequence[str], here: str) -> None:
        self.beginResetModel()
        self._all = [(zone, zone_label(zone, here)) for zone in zones]
        self._rows = self._all
        self.endResetModel()

    def narrow(self, text: str) -> None:
        wanted = text.casefold().replace("_", " ").strip()
        self.beginResetModel()
        self._rows = [row for row in self._all if wanted in row[1].casefold()]
        self.endResetModel()

    def zone(self, row: int) -> str:
        return self._rows[row][0]

    def row_of(self, zone: str) -> int:
        """-1 where it isn't listed."""
        return next((row for row, item in enumerate(self._rows) if item[0] == zone), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole and index.isValid():
            return self._rows[index.row()][1]
        return None


class ZonePopup(Popup):
    """Type to search; Up and Down move, Enter or a click chooses."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget, here: str) -> None:
        super().__init__(parent)
        self.here = here
        self.search = QLineEdit(self, placeholderText="Search zones", clearButtonEnabled=True)
        self.search.setAccessibleName("Search zones")
        self.list = QListView(self, uniformItemSizes=True)
        self.list.setAccessibleName("Time zones")
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setMinimumSize(280, 320)
        self.list.setItemDelegate(RoomyDelegate(self.list))
        self.model = ZoneModel(self)
        self.list.setModel(self.model)
        self.column.addWidget(self.search)
        self.column.addWidget(self.list)
        self.search.textChanged.connect(self._narrow)
        self.search.installEventFilter(self)
        self.list.clicked.connect(lambda index: self.apply())

    def show_zones(self, current: str, recent: Sequence[str]) -> None:
        head = ["UTC", LOCAL, *recent]
        if current not in head:
            head.append(current)
        self.search.clear()
        self.model.set_zones([*head, *sorted(available_timezones() - set(head))], self.here)
        self._go_to(self.model.row_of(current))
        self.search.setFocus()

    def apply(self) -> None:
        row = self.list.currentIndex().row()
        self.close()
        if 0 <= row < self.model.rowCount():
            self.chosen.emit(self.model.zone(row))

    def _narrow(self, text: str) -> None:
        self.model.narrow(text)
        self._go_to(0)

    def _go_to(self, row: int) -> None:
        index = self.model.index(row, 0)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and Down move in the list while the typing goes on."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
            if step is not None:
                row = self.list.currentIndex().row() + step
                self._go_to(min(max(row, 0), self.model.rowCount() - 1))
                return True
        return super().eventFilter(watched, event)
