"""A row of widgets that wraps into more lines where the window is narrow."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

from usage_viewer.gui.widgets.theme import UNIT


class FlowRow(QWidget):
    """Lays its items out in reading order; its height follows from its width. Tab order is their order."""

    def __init__(self, parent: QWidget | None = None, *, gap: int = UNIT // 2) -> None:
        super().__init__(parent)
        self._items: list[QWidget] = []
        self._gap = gap
        self._hints: list[QSize] = []  # of each item, kept until one changes
        self._heights: dict[int, int] = {}  # by width
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def items(self) -> tuple[QWidget, ...]:
        return tuple(self._items)

    def set_items(self, items: Sequence[QWidget]) -> None:
        """The widgets in their order; they become children of the row. Those no longer named are hidden."""
        if items == self._items:
            return
        for gone in self._items:
            if gone not in items:
                gone.hide()
        self._items = list(items)
        for item in self._items:
            if item.parentWidget() is not self:
                item.setParent(self)
            item.setVisible(True)
        self._order_by_tab()
        self._forget_hints()
        self.updateGeometry()
        self.arrange()

    def _order_by_tab(self) -> None:
        """Tab comes to the items where the row stands, whenever they were made."""
        chain = [self, *(item for item in self._items if item.focusPolicy() != Qt.FocusPolicy.NoFocus)]
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Qt puts nothing behind what takes no focus
        for before, after in pairwise(chain):
            QWidget.setTabOrder(before, after)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def arrange(self) -> None:
        for item, place in zip(self._items, self._places(self.width()), strict=True):
            item.setGeometry(QStyle.visualRect(self.layoutDirection(), self.rect(), place))

    def heightForWidth(self, width: int) -> int:
        """Kept until an item changes: a layout asks for it some twenty times each time that it is activated."""
        height = self._heights.get(width)
        if height is None:
            height = max((place.bottom() + 1 for place in self._places(width)), default=0)
            self._heights[width] = height
        return height

    def hasHeightForWidth(self) -> bool:
        return True

    def sizeHint(self) -> QSize:
        """All items in one line."""
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
            self._forget_hints()
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.LayoutDirectionChange):
            self._forget_hints()
            self.updateGeometry()
            self.arrange()
        return super().event(event)

    def _forget_hints(self) -> None:
        self._hints.clear()
        self._heights.clear()

    def _all_hints(self) -> list[QSize]:
        if len(self._hints) != len(self._items):
            self._hints = [_hint(item) for item in self._items]
        return self._hints

    def _places(self, width: int) -> list[QRect]:
        """Each shown item's rectangle in a row `width` wide; an item wider than that is cut to it."""
        places: list[QRect] = []
        corner, line = QPoint(0, 0), 0
        begun = 0  # the index of the line's first item
        for item_hint in self._all_hints():
            hint = item_hint.boundedTo(QSize(max(width, 1), 16777215))
            if corner.x() > 0 and corner.x() + hint.width() > width:
                self._centre(places, begun, line)
                corner, line, begun = QPoint(0, corner.y() + line + self._gap), 0, len(places)
            places.append(QRect(corner, hint))
            corner.setX(corner.x() + hint.width() + self._gap)
            line = max(line, hint.height())
        self._centre(places, begun, line)
        return places

    @staticmethod
    def _centre(places: list[QRect], begun: int, line: int) -> None:
        for place in places[begun:]:
            place.translate(0, (line - place.height()) // 2)


def _hint(item: QWidget) -> QSize:
    return item.sizeHint().expandedTo(item.minimumSize()).boundedTo(item.maximumSize())
