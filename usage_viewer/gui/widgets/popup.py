"""A panel that opens under a control: Esc or a click beside it discards, Enter applies."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from usage_viewer.gui.widgets.theme import UNIT, is_dark, mixed


class Popup(QFrame):
    """What is chosen in it is a draft until `apply`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(UNIT + 4, UNIT + 4, UNIT + 4, UNIT + 4)
        self.column.setSpacing(UNIT)

    def open_under(self, anchor: QWidget) -> None:
        self.adjustSize()
        self.move(place_under(anchor, self.width(), self.height()))
        self.show()

    def apply(self) -> None:
        """Takes over the draft; a popup with something to apply says what."""
        self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        focus = self.focusWidget()
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if isinstance(focus, QAbstractButton) and not focus.isCheckable():
                focus.click()
            else:
                self.apply()
        else:
            super().keyPressEvent(event)


def outlined(palette: QPalette) -> QPalette:
    """For boxes to tick: the Fusion style draws their outline darker than the window, unseen on a dark one."""
    changed = QPalette(palette)
    if is_dark(palette):
        window, front = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        changed.setColor(QPalette.ColorRole.Window, mixed(window, front, 0.6))
    return changed


class RoomyDelegate(QStyledItemDelegate):
    """Rows as high as a menu's."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        option.palette = outlined(option.palette)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        hint = super().sizeHint(option, index)
        return QSize(hint.width(), option.fontMetrics.height() + UNIT)


def place_under(anchor: QWidget, width: int, height: int) -> QPoint:
    """Under `anchor` at its leading edge, above it where there is no room, never off the screen."""
    origin = anchor.mapToGlobal(QPoint(0, 0))
    place = QRect(origin + QPoint(0, anchor.height() + 2), anchor.size())
    if anchor.layoutDirection() == Qt.LayoutDirection.RightToLeft:
        place.moveLeft(origin.x() + anchor.width() - width)
    room = anchor.screen().availableGeometry()
    y = place.top()
    if y + height > room.bottom() and origin.y() - height - 2 >= room.top():
        y = origin.y() - height - 2
    x = max(room.left(), min(place.left(), room.right() - width))
    return QPoint(x, max(room.top(), min(y, room.bottom() - height)))
