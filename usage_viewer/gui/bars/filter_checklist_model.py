"""The values of a dimension as a list to tick, narrowed by a text; quick with a hundred thousand of them."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from usage_viewer.domain.catalog import Dimension
from usage_viewer.domain.names import Names
from usage_viewer.domain.view import NONE_TEXT, Value
from usage_viewer.gui.widgets.plain_text import tip

Index = QModelIndex | QPersistentModelIndex


class FilterChecklistModel(QAbstractListModel):
    """Ticks are by value, not by row: they stay when the list is narrowed."""

    ticks_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._values: list[Value] = []  # in the order of their labels, "(none)" last
        self._labels: list[str] = []
        self._sought: list[str] = []  # label and id, case folded
        self._rows: Sequence[int] = ()  # of the above, those listed
        self._ticked: set[Value] = set()

    def set_values(
        self, dimension: Dimension, values: Iterable[Value], names: Names, ticked: Iterable[Value]
    ) -> None:
        """Values that are ticked are listed too, whether or not they are among `values`."""
        self.beginResetModel()
        self._ticked = set(ticked)
        # Each once, in the order given, for that is mostly their order already: sorting is the cost here.
        listed = dict.fromkeys((*values, *self._ticked))
        labels = ((value, names.label(dimension, value)) for value in listed if value is not None)
        labelled = [(label.casefold(), value, label) for value, label in labels]
        labelled.sort()
        self._values = [value for _, value, _ in labelled]
        self._labels = [label for _, _, label in labelled]
        self._sought = [
            folded if value == label else f"{folded}\n{value.casefold()}" for folded, value, label in labelled
        ]
        if None in listed:
            self._values.append(None)
            self._labels.append(NONE_TEXT)
            self._sought.append(NONE_TEXT)
        self._rows = range(len(self._values))
        self.endResetModel()

    @property
    def values(self) -> Sequence[Value]:
        return self._values

    @property
    def ticked(self) -> frozenset[Value]:
        return frozenset(self._ticked)

    @property
    def listed(self) -> list[Value]:
        return [self._values[row] for row in self._rows]

    @property
    def narrowed(self) -> bool:
        return len(self._rows) < len(self._values)

    def listed_state(self) -> Qt.CheckState:
        """Whether all of those listed are ticked, or none, or some."""
        if len(self._ticked) == len(self._values):
            count = len(self._rows)
        else:
            count = sum(self._values[row] in self._ticked for row in self._rows)
        if count == 0:
            return Qt.CheckState.Unchecked
        return Qt.CheckState.Checked if count == len(self._rows) else Qt.CheckState.PartiallyChecked

    def narrow(self, text: str) -> None:
        """Lists those whose label or id contains `text`, case aside."""
        wanted = text.casefold().strip()
        self.beginResetModel()
        if wanted:
            self._rows = [row for row, sought in enumerate(self._sought) if wanted in sought]
        else:
            self._rows = range(len(self._values))
        self.endResetModel()

    def tick_listed(self, on: bool) -> None:
        self._ticked = self._ticked.union(self.listed) if on else self._ticked.difference(self.listed)
        self._all_changed()

    def tick_only(self, values: Iterable[Value]) -> None:
        self._ticked = set(values)
        self._all_changed()

    def _all_changed(self) -> None:
        if self._rows:
            role = [Qt.ItemDataRole.CheckStateRole]
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, 0), role)
        self.ticks_changed.emit()

    # What Qt asks

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
