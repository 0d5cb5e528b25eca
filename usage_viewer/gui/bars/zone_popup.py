"""Shows a searchable list of time zones."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import available_timezones

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListView, QWidget

from usage_viewer.gui.bars.zone_search import find_zones, offset_text
from usage_viewer.gui.widgets.line_edit import LineEdit
from usage_viewer.gui.widgets.popup import Popup, PopupListDelegate
from usage_viewer.gui.widgets.theme import plain_label

LOCAL = "local"
"""The zone of this computer, as views store it."""

Index = QModelIndex | QPersistentModelIndex


def zone_label(zone: str, local_zone: str) -> str:
    """Return a readable name of a zone; `local_zone` is the IANA name of this computer's zone, or empty."""
    if zone == LOCAL:
        return f"Local time ({local_zone.replace('_', ' ')})" if local_zone else "Local time"
    return zone.replace("_", " ")


class ZoneModel(QAbstractListModel):
    """Lists zones in the given order, or those that a text finds, best first; each with its offset at `moment`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[tuple[str, str]] = []
        self._rows: list[tuple[str, str]] = []
        self.moment = datetime.now(UTC)

    def set_zones(self, zones: Sequence[str], local_zone: str) -> None:
        """List these zones, given by IANA name or as `LOCAL`; `local_zone` as in `zone_label`."""
        self.beginResetModel()
        self._all = [(zone, zone_label(zone, local_zone)) for zone in zones]
        self._rows = self._all
        self.endResetModel()

    def narrow(self, text: str) -> None:
        """List only the zones that `text` finds; see `find_zones`."""
        labels = dict(self._all)
        listed = find_zones(text, [zone for zone in labels if zone != LOCAL], self.moment.year)
        needle = text.casefold().replace("_", " ").strip()
        if needle in labels.get(LOCAL, "").casefold() and LOCAL in labels:
            listed.insert(0, LOCAL)
        self.beginResetModel()
        self._rows = [(zone, labels[zone]) for zone in listed] if needle else self._all
        self.endResetModel()

    def zone(self, row: int) -> str:
        """Return the IANA name of the zone in a row, or `LOCAL`."""
        return self._rows[row][0]

    def row_of(self, zone: str) -> int:
        """Return the row of a zone, or -1 if it is not listed."""
        return next((row for row, item in enumerate(self._rows) if item[0] == zone), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole and index.isValid():
            zone, label = self._rows[index.row()]
            return label if zone == "UTC" else f"{label}  {offset_text(zone, self.moment)}"
        return None


class ZonePopup(Popup):
    """Chooses a time zone: typing searches, Up and Down move, Enter or a click chooses."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget, local_zone: str) -> None:
        super().__init__(parent, "Time zone")
        self.local_zone = local_zone
        self.search = LineEdit(self, placeholderText="City, country, CET or +5:30", clearButtonEnabled=True)
        self.search.setAccessibleName("Search time zones")
        self.list = QListView(self, uniformItemSizes=True)
        self.list.setAccessibleName("Time zones")
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setMinimumSize(280, 320)
        self.list.setItemDelegate(PopupListDelegate(self.list))
        self.model = ZoneModel(self)
        self.list.setModel(self.model)
        self.no_match = plain_label("No match")
        self.no_match.hide()
        self.column.addWidget(self.search)
        self.column.addWidget(self.no_match)
        self.column.addWidget(self.list)
        self.search.textChanged.connect(self._narrow)
        self.search.installEventFilter(self)
        self.list.clicked.connect(lambda index: self.apply())

    def show_zones(self, current: str, recent: Sequence[str]) -> None:
        """List all zones: UTC, local time and the recent ones first; the current zone is selected."""
        first = ["UTC", LOCAL, *recent]
        if current not in first:
            first.append(current)
        self.search.clear()
        self.model.moment = datetime.now(UTC)
        self.model.set_zones([*first, *sorted(available_timezones() - set(first))], self.local_zone)
        self._select(self.model.row_of(current))
        self.search.setFocus()

    def apply(self) -> None:
        """Close, and emit the selected zone if there is one."""
        row = self.list.currentIndex().row()
        self.close()
        if 0 <= row < self.model.rowCount():
            self.chosen.emit(self.model.zone(row))

    def _narrow(self, text: str) -> None:
        self.model.narrow(text)
        self.no_match.setVisible(not self.model.rowCount())
        self._select(0)

    def _select(self, row: int) -> None:
        index = self.model.index(row, 0)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move the selection with Up and Down while the search box keeps the focus."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
            if step is not None:
                row = self.list.currentIndex().row() + step
                self._select(min(max(row, 0), self.model.rowCount() - 1))
                return True
        return super().eventFilter(watched, event)
