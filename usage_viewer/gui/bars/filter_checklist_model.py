"""Defines the model of a dimension's values with check boxes and a search, fast with 100,000 values."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from usage_viewer.domain.catalog import Dimension
from usage_viewer.domain.names import Names
from usage_viewer.domain.view_parts import Value
from usage_viewer.gui.widgets.plain_text import tip

Index = QModelIndex | QPersistentModelIndex


class FilterChecklistModel(QAbstractListModel):
    """Lists values by label. A tick belongs to a value, not to a row, so a search does not change the ticks."""

    ticks_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._values: list[Value] = []  # sorted by label, "(none)" last
        self._labels: list[str] = []  # of each value
        self._search_texts: list[str] = []  # of each value: label and id, case-folded
        self._rows: Sequence[int] = ()  # index of the value in each listed row
        self._ticked: set[Value] = set()

    def set_values(
        self, dimension: Dimension, values: Iterable[Value], names: Names, ticked: Iterable[Value]
    ) -> None:
        """List the values of a dimension, and the ticked values even if they are not among `values`."""
        self.beginResetModel()
        self._ticked = set(ticked)
        # Sorting takes most of the time here. Keeping the given order, which is mostly sorted, makes it faster.
        distinct = dict.fromkeys((*values, *self._ticked))
        labels = ((value, names.label(dimension, value)) for value in distinct if value is not None)
        labelled = [(label.casefold(), value, label) for value, label in labels]
        labelled.sort()
        self._values = [value for _, value, _ in labelled]
        self._labels = [label for _, _, label in labelled]
        self._search_texts = [
            folded if value == label else f"{folded}\n{value.casefold()}" for folded, value, label in labelled
        ]
        if None in distinct:
            self._values.append(None)
            self._labels.append(dimension.none)
            self._search_texts.append(dimension.none.casefold())
        self._rows = range(len(self._values))
        self.endResetModel()

    @property
    def values(self) -> Sequence[Value]:
        """Return all values, whether or not the search matches them."""
        return self._values

    @property
    def ticked(self) -> frozenset[Value]:
        """Return the ticked values, whether or not the search matches them."""
        return frozenset(self._ticked)

    @property
    def listed(self) -> list[Value]:
        """Return the values that match the search."""
        return [self._values[row] for row in self._rows]

    @property
    def narrowed(self) -> bool:
        """Return whether the search hides some values."""
        return len(self._rows) < len(self._values)

    def listed_state(self) -> Qt.CheckState:
        """Return whether all, none or some of the listed values are ticked."""
        if len(self._ticked) == len(self._values):
            count = len(self._rows)
        else:
            count = sum(self._values[row] in self._ticked for row in self._rows)
        if count == 0:
            return Qt.CheckState.Unchecked
        return Qt.CheckState.Checked if count == len(self._rows) else Qt.CheckState.PartiallyChecked

    def narrow(self, text: str) -> None:
        """List only the values whose label or id contains `text`, ignoring case; all values for an empty text."""
        needle = text.casefold().strip()
        self.beginResetModel()
        if needle:
            self._rows = [row for row, search_text in enumerate(self._search_texts) if needle in search_text]
        else:
            self._rows = range(len(self._values))
        self.endResetModel()

    def tick_listed(self, ticked: bool) -> None:
        """Tick or untick all listed values; other values keep their ticks."""
        self._ticked = self._ticked.union(self.listed) if ticked else self._ticked.difference(self.listed)
        self._emit_all_changed()

    def tick_only(self, values: Iterable[Value]) -> None:
        """Tick these values and untick all others."""
        self._ticked = set(values)
        self._emit_all_changed()

    def _emit_all_changed(self) -> None:
        if self._rows:
            role = [Qt.ItemDataRole.CheckStateRole]
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, 0), role)
        self.ticks_changed.emit()

    # Qt model interface

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._labels[row]
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if self._values[row] in self._ticked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            value = self._values[row] or ""
            return tip(value if value != self._labels[row] else "") or None
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        item = self._values[self._rows[index.row()]]
        if value in (Qt.CheckState.Checked, Qt.CheckState.Checked.value):
            self._ticked.add(item)
        else:
            self._ticked.discard(item)
        self.dataChanged.emit(index, index, [role])
        self.ticks_changed.emit()
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable
        return flags | Qt.ItemFlag.ItemNeverHasChildren
