"""Handles the mouse on the header's frozen sections, which Qt has to the left of the viewport and ignores there."""

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHeaderView, QStyle

from usage_viewer.gui.table.frozen_columns import FrozenColumns


class FrozenHeaderMouse(QObject):
    """Clicks, resizes and moves frozen sections. `handle` takes the mouse events of the header's viewport."""

    clicked = Signal(int, object)  # section, Qt.KeyboardModifier
    pressed = Signal(int)  # section, -1 after the release
    moved = Signal(int, int)  # section, and the one that it was dropped on
    edge_double_clicked = Signal(int)  # section

    def __init__(self, header: QHeaderView, frozen: FrozenColumns) -> None:
        super().__init__(header)
        self._header, self._frozen = header, frozen
        self._section = -1  # of the press
        self._resize_from: int | None = None  # x minus the section's width at the press

    def handle(self, event: QMouseEvent) -> bool:
        """Return whether the event belongs to a frozen section and was handled."""
        x, kind = int(event.position().x()), event.type()
        if kind == QEvent.Type.MouseMove and event.buttons():
            return self._drag(x)
        if kind == QEvent.Type.MouseButtonRelease:
            return self._release(x, event)
        if not self._frozen.shift(x) or not self._frozen.count:
            self._header.viewport().unsetCursor()
            return False
        edge = self._edge_at(x)
        if kind == QEvent.Type.MouseMove:
            shape = Qt.CursorShape.SplitHCursor if edge >= 0 else Qt.CursorShape.ArrowCursor
            self._header.viewport().setCursor(shape)
            return False  # the header still marks the section under the pointer
        if event.button() != Qt.MouseButton.LeftButton:
            return True
        if kind == QEvent.Type.MouseButtonDblClick and edge >= 0:
            self.edge_double_clicked.emit(edge)
        else:
            self._press(x, edge)
        return True

    def _press(self, x: int, edge: int) -> None:
        self._section = edge if edge >= 0 else self._frozen.section_at(x)
        self._resize_from = self._sign * x - self._header.sectionSize(edge) if edge >= 0 else None
        if edge < 0:
            self.pressed.emit(self._section)

    def _drag(self, x: int) -> bool:
        if self._section < 0:
            return False
        if self._resize_from is not None:
            width = max(self._sign * x - self._resize_from, self._header.minimumSectionSize())
            self._header.resizeSection(self._section, width)
        return True

    def _release(self, x: int, event: QMouseEvent) -> bool:
        section, self._section = self._section, -1
        if section < 0:
            return False
        if self._resize_from is not None:
            self._resize_from = None
            return True
        self.pressed.emit(-1)
        target = self._frozen.section_at(x)
        inside = self._header.viewport().rect().contains(QPoint(x, int(event.position().y())))
        if target == section and inside:
            self.clicked.emit(section, event.modifiers())
        elif target >= 0 and target != section:
            self.moved.emit(section, target)
        return True

    @property
    def _sign(self) -> int:
        return -1 if self._header.isRightToLeft() else 1

    def _edge_at(self, x: int) -> int:
        """Return the frozen section whose trailing edge is at `x`, -1 if there is none."""
        header = self._header
        grip = header.style().pixelMetric(QStyle.PixelMetric.PM_HeaderGripMargin, None, header)
        for section in range(self._frozen.count):
            left = self._frozen.left(section)
            edge = left if header.isRightToLeft() else left + header.sectionSize(section)
            if abs(x - edge) <= grip:
                return section
        return -1
