"""Shows a chip for each dimension: a click adds it to the grouping or removes it; active chips can be reordered."""

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from usage_viewer.domain.catalog import Dimension
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.widgets.chip import Chip
from usage_viewer.gui.widgets.flow_row import FlowRow
from usage_viewer.gui.widgets.plain_text import explain
from usage_viewer.gui.widgets.theme import plain_label

SHORTCUT = "Alt+G"


class GroupingBar(QWidget):
    """Requests views with another grouping. A dimension that is not available is disabled and shows the reason."""

    view_requested = Signal(object)  # ViewState

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = ViewState()
        self._unavailable: dict[str, str] = {}
        self._shown_state: object = None  # the dimensions, grouping and reasons that the chips show
        self._dragged_order: tuple[str, ...] = ()
        self._chips: dict[str, Chip] = {}
        self._places: list[str] = []  # all dimensions in the order of their chips; a click moves no chip
        self._label = plain_label("Group by", self)
        self._label.setToolTip(f"Go to the grouping ({SHORTCUT})")
        self._row = FlowRow(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._row)
        self.setAccessibleName("Group by")
        self.setAccessibleDescription("The dimensions that the rows are grouped by, in this order")
        QShortcut(QKeySequence(SHORTCUT), self, self.focus_first)

    def show_view(self, view: ViewState, unavailable: Mapping[str, str] | None = None) -> None:
        """Show the grouping of a view.

        `unavailable` holds the dimensions that are not available for this organization, by name, with the reason;
        None keeps those of the last call.
        """
        if unavailable is not None:
            self._unavailable = dict(unavailable)
        self._view = view
        state = (view.dataset.dimensions, view.grouping, self._unavailable)
        if state == self._shown_state:
            return
        self._shown_state = state
        if [item.name for item in view.dataset.dimensions] != list(self._chips):
            self._create_chips()
        for dimension in view.dataset.dimensions:
            self._show_chip(dimension)
        if set(self._dragged_order) != set(view.grouping):
            self._dragged_order = ()
        self._arrange(self._dragged_order or view.grouping)  # new figures do not disturb a drag

    @property
    def chips(self) -> Mapping[str, Chip]:
        """Return the chip of each dimension, by name."""
        return self._chips

    def focus_first(self) -> None:
        """Move the keyboard focus to the first enabled chip."""
        chips = [item for item in self._row.items if isinstance(item, Chip) and item.isEnabled()]
        if chips:
            chips[0].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _create_chips(self) -> None:
        for chip in self._chips.values():
            chip.deleteLater()
        self._chips = {item.name: self._create_chip(item.name) for item in self._view.dataset.dimensions}
        self._places = []

    def _create_chip(self, name: str) -> Chip:
        chip = Chip(self._row, movable=True, addable=True, toggles=True)
        chip.clicked.connect(lambda: self._toggle(name))
        chip.remove_requested.connect(lambda: self._toggle(name))
        chip.move_requested.connect(lambda step: self._move(name, step))
        chip.dragged.connect(lambda position: self._on_dragged(name, position))
        chip.drag_ended.connect(self._on_drag_ended)
        return chip

    def _show_chip(self, dimension: Dimension) -> None:
        chip, reason = self._chips[dimension.name], self._unavailable.get(dimension.name, "")
        on = dimension.name in self._view.grouping
        chip.show_state(dimension.label, active=on, remove_text=f"Stop grouping by {dimension.label}")
        chip.setEnabled(on or not reason)
        if reason:
            text = reason
        elif on:
            text = "Drag to change the order (Ctrl+Left, Ctrl+Right); Delete removes it"
        else:
            text = f"Also group by {dimension.label}"
        explain(chip, text)
        chip.setAccessibleName(f"Group by {dimension.label}")

    def _arrange(self, grouping: tuple[str, ...]) -> None:
        """Place the grouped chips in the order of the grouping; all other chips stay where they are."""
        places = self._places or [*grouping, *(name for name in self._chips if name not in grouping)]
        grouped = iter(grouping)
        self._places = [next(grouped) if name in grouping else name for name in places]
        self._row.set_items([self._label, *(self._chips[name] for name in self._places)])

    # User actions

    def _toggle(self, name: str) -> None:
        grouping = self._view.grouping
        if name in grouping:
            self.view_requested.emit(self._view.toggled(name))
            return
        before = sum(other in grouping for other in self._places[: self._places.index(name)])
        self.view_requested.emit(self._view.with_grouping((*grouping[:before], name, *grouping[before:])))

    def _move(self, name: str, step: int) -> None:
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            step = -step
        order = list(self._view.grouping)
        old_index = order.index(name)
        new_index = min(max(old_index + step, 0), len(order) - 1)
        if new_index != old_index:
            order.insert(new_index, order.pop(old_index))
            self.view_requested.emit(self._view.with_grouping(order))

    def _on_dragged(self, name: str, pointer: QPoint) -> None:
        """Rearrange the chips under the pointer; the view is requested when the user drops the chip."""
        order = self._dragged_order or self._view.grouping
        others = [other for other in order if other != name]
        index = sum(self._is_before(self._chips[other], pointer) for other in others)
        new_order = (*others[:index], name, *others[index:])
        if new_order != order:
            self._dragged_order, self._shown_state = new_order, None
            self._arrange(new_order)

    def _is_before(self, chip: Chip, pointer: QPoint) -> bool:
        """Return whether the chip comes before the pointer in reading order."""
        rect = chip.geometry()
        if pointer.y() < rect.top() or pointer.y() > rect.bottom():
            return rect.bottom() < pointer.y() and not self._follows_pointer_on_last_line(chip, pointer)
        left_to_right = self.layoutDirection() != Qt.LayoutDirection.RightToLeft
        return (rect.center().x() < pointer.x()) == left_to_right

    def _follows_pointer_on_last_line(self, chip: Chip, pointer: QPoint) -> bool:
        """Return whether a chip of the last line has its centre right of a pointer that is below this line.

        A pointer below the last line counts as a pointer on the last line.
        """
        bottom = max(other.geometry().bottom() for other in self._chips.values())
        rect = chip.geometry()
        return rect.bottom() == bottom and pointer.y() > bottom and rect.center().x() >= pointer.x()

    def _on_drag_ended(self, dropped: bool) -> None:
        order, self._dragged_order = self._dragged_order, ()
        if dropped and order and order != self._view.grouping:
            self.view_requested.emit(self._view.with_grouping(order))
        else:
            self._arrange(self._view.grouping)
