"""*Group by*: a chip for each dimension, on or off with one click; those that are on can be put in any order."""

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from usage_viewer.domain.catalog import Dimension
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.widgets.chip import Chip
from usage_viewer.gui.widgets.flow_row import FlowRow
from usage_viewer.gui.widgets.plain_text import tip
from usage_viewer.gui.widgets.theme import plain_label

SHORTCUT = "Alt+G"


class GroupingBar(QWidget):
    """Asks for a view with another grouping. A refused dimension is grey, and says why."""

    view_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = ViewState()
        self._unavailable: dict[str, str] = {}
        self._shown: object = None
        self._dragged_order: tuple[str, ...] = ()
        self._chips: dict[str, Chip] = {}
        self._label = plain_label("Group by", self)
        self._label.setToolTip(f"Go to the grouping: {SHORTCUT}")
        self._row = FlowRow(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._row)
        self.setAccessibleName("Group by")
        self.setAccessibleDescription("What the rows are grouped by, in this order")
        QShortcut(QKeySequence(SHORTCUT), self, self.focus_first)

    def show_view(self, view: ViewState, unavailable: Mapping[str, str] | None = None) -> None:
        """`unavailable`: dimensions that this organization refuses, with the reason. Kept where not given."""
        if unavailable is not None:
            self._unavailable = dict(unavailable)
        self._view = view
        shown = (view.dataset.dimensions, view.grouping, self._unavailable)
        if shown == self._shown:
            return
        self._shown = shown
        if [item.name for item in view.dataset.dimensions] != list(self._chips):
            self._make_chips()
        for dimension in view.dataset.dimensions:
            self._show_chip(dimension)
        if set(self._dragged_order) != set(view.grouping):
            self._dragged_order = ()
        self._arrange(self._dragged_order or view.grouping)  # figures that arrive don't disturb a drag

    @property
    def chips(self) -> Mapping[str, Chip]:
        """By the dimension's name."""
        return self._chips

    def focus_first(self) -> None:
        chips = [item for item in self._row.items if isinstance(item, Chip) and item.isEnabled()]
        if chips:
            chips[0].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _make_chips(self) -> None:
        for chip in self._chips.values():
            chip.deleteLater()
        self._chips = {item.name: self._chip(item.name) for item in self._view.dataset.dimensions}

    def _chip(self, name: str) -> Chip:
        chip = Chip(self._row, movable=True, addable=True)
        chip.clicked.connect(lambda: self._toggle(name))
        chip.removed.connect(lambda: self._toggle(name))
        chip.shifted.connect(lambda step: self._shift(name, step))
        chip.dragged.connect(lambda place: self._on_dragged(name, place))
        chip.dropped.connect(self._on_dropped)
        return chip

    def _show_chip(self, dimension: Dimension) -> None:
        chip, reason = self._chips[dimension.name], self._unavailable.get(dimension.name, "")
        on = dimension.name in self._view.grouping
        chip.show_state(dimension.label, active=on, remove_text=f"Don't group by {dimension.label}")
        chip.setEnabled(on or not reason)
        if reason:
            text = reason
        elif on:
            text = "Drag to put it in another place (Ctrl+Left, Ctrl+Right); Delete removes it"
        else:
            text = f"Group by {dimension.label} too"
        chip.setToolTip(tip(text))
        chip.setAccessibleName(f"Grouped by {dimension.label}" if on else f"Group by {dimension.label}")
        chip.setAccessibleDescription(text)

    def _arrange(self, grouping: tuple[str, ...]) -> None:
        rest = [item.name for item in self._view.dataset.dimensions if item.name not in grouping]
        self._row.set_items([self._label, *(self._chips[name] for name in (*grouping, *rest))])

    # What the user does

    def _toggle(self, name: str) -> None:
        self.view_requested.emit(self._view.toggled(name))

    def _shift(self, name: str, step: int) -> None:
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            step = -step
        order = list(self._view.grouping)
        before = order.index(name)
        after = min(max(before + step, 0), len(order) - 1)
        if after != before:
            order.insert(after, order.pop(before))
            self.view_requested.emit(self._view.with_grouping(order))

    def _on_dragged(self, name: str, place: QPoint) -> None:
        """The chips make room while the mouse moves; the view is asked for when it is let go."""
        order = self._dragged_order or self._view.grouping
        others = [other for other in order if other != name]
        index = sum(self._lies_before(self._chips[other], place) for other in others)
        moved = (*others[:index], name, *others[index:])
        if moved != order:
            self._dragged_order, self._shown = moved, None
            self._arrange(moved)

    def _lies_before(self, chip: Chip, place: QPoint) -> bool:
        where = chip.geometry()
        if place.y() < where.top() or place.y() > where.bottom():
            return where.bottom() < place.y() and not self._same_line(chip, place)
        left_to_right = self.layoutDirection() != Qt.LayoutDirection.RightToLeft
        return (where.center().x() < place.x()) == left_to_right

    def _same_line(self, chip: Chip, place: QPoint) -> bool:
        """The last line reaches down as far as the mouse may go."""
        last = max(other.geometry().bottom() for other in self._chips.values())
        return chip.geometry().bottom() == last and place.y() > last and chip.geometry().center().x() >= place.x()

    def _on_dropped(self, kept: bool) -> None:
        order, self._dragged_order = self._dragged_order, ()
        if kept and order and order != self._view.grouping:
            self.view_requested.emit(self._view.with_grouping(order))
        else:
            self._arrange(self._view.grouping)
