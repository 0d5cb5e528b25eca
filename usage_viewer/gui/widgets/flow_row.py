"""Defines `FlowRow`, a row of widgets that wraps onto more lines when the window is narrow."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

from usage_viewer.gui.widgets.theme import UNIT


class FlowRow(QWidget):
    """Lays out its items in reading order, which is also their tab order; its height depends on its width.

    `gap` is the distance between items and between lines, in pixels.
    """

    def __init__(self, parent: QWidget | None = None, *, gap: int = UNIT // 2) -> None:
        super().__init__(parent)
        self._items: list[QWidget] = []
        self._gap = gap
        self._hints: list[QSize] = []  # size hint of each item; cached until an item changes
        self._heights: dict[int, int] = {}  # height for a width; cached as long as the hints
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def items(self) -> tuple[QWidget, ...]:
        """Return the widgets in reading order."""
        return tuple(self._items)

    def set_items(self, items: Sequence[QWidget]) -> None:
        """Show these widgets in this order; they become children of the row. Items no longer listed are hidden."""
        if items == self._items:
            return
        for former in self._items:
            if former not in items:
                former.hide()
        self._items = list(items)
        for item in self._items:
            if item.parentWidget() is not self:
                item.setParent(self)
            item.setVisible(True)
        self._set_tab_order()
        self._clear_hints()
        self.updateGeometry()
        self.arrange()

    def _set_tab_order(self) -> None:
        """Put the items right after this row in the tab order, whenever they were created."""
        chain = [self, *(item for item in self._items if item.focusPolicy() != Qt.FocusPolicy.NoFocus)]
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # setTabOrder ignores a widget that takes no focus
        for before, after in pairwise(chain):
            QWidget.setTabOrder(before, after)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def arrange(self) -> None:
        """Place the items within the present width of the row."""
        for item, rect in zip(self._items, self._item_rects(self.width()), strict=True):
            item.setGeometry(QStyle.visualRect(self.layoutDirection(), self.rect(), rect))

    def heightForWidth(self, width: int) -> int:
        """Return the height in pixels; cached, as a layout asks about twenty times per activation."""
        height = self._heights.get(width)
        if height is None:
            height = max((rect.bottom() + 1 for rect in self._item_rects(width)), default=0)
            self._heights[width] = height
        return height

    def hasHeightForWidth(self) -> bool:
        return True

    def sizeHint(self) -> QSize:
        """Return the size of all items on one line."""
        hints = self._all_hints()
        return QSize(
            sum(hint.width() for hint in hints) + self._gap * max(len(hints) - 1, 0),
            max((hint.height() for hint in hints), default=0),
        )

    def minimumSizeHint(self) -> QSize:
        hints = self._all_hints()
        return QSize(
            min(max((hint.width() for hint in hints), default=0), 20 * UNIT),
            max((hint.height() for hint in hints), default=0),
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.arrange()
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._clear_hints()
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.LayoutDirectionChange):
            self._clear_hints()
            self.updateGeometry()
            self.arrange()
        return super().event(event)

    def _clear_hints(self) -> None:
        self._hints.clear()
        self._heights.clear()

    def _all_hints(self) -> list[QSize]:
        if len(self._hints) != len(self._items):
            self._hints = [_bounded_size_hint(item) for item in self._items]
        return self._hints

    def _item_rects(self, width: int) -> list[QRect]:
        """Return the rectangle of each item in a row of this width; a wider item is cut to `width`."""
        rects: list[QRect] = []
        corner, line_height = QPoint(0, 0), 0
        line_start = 0  # index of the first item of the line
        for item_hint in self._all_hints():
            hint = item_hint.boundedTo(QSize(max(width, 1), 16777215))  # Qt's QWIDGETSIZE_MAX
            if corner.x() > 0 and corner.x() + hint.width() > width:
                _centre_vertically(rects[line_start:], line_height)
                corner, line_height, line_start = QPoint(0, corner.y() + line_height + self._gap), 0, len(rects)
            rects.append(QRect(corner, hint))
            corner.setX(corner.x() + hint.width() + self._gap)
            line_height = max(line_height, hint.height())
        _centre_vertically(rects[line_start:], line_height)
        return rects


def _centre_vertically(rects: Sequence[QRect], line_height: int) -> None:
    """Move the rectangles of one line, in place, to the middle of the line's height."""
    for rect in rects:
        rect.translate(0, (line_height - rect.height()) // 2)


def _bounded_size_hint(item: QWidget) -> QSize:
    return item.sizeHint().expandedTo(item.minimumSize()).boundedTo(item.maximumSize())
