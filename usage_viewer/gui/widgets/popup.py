"""Defines `Popup`, a panel that opens under a control: Enter applies, Esc or a click outside discards."""

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialogButtonBox,
    QFrame,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from usage_viewer.gui.widgets.theme import UNIT, edge_colour, outlined_palette


class Popup(QFrame):
    """Holds the user's choice as a draft until `apply`. Subclasses add their widgets to `column`.

    `name` is what screen readers say when it opens.
    """

    def __init__(self, parent: QWidget, name: str) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(UNIT + 4, UNIT + 4, UNIT + 4, UNIT + 4)
        self.column.setSpacing(UNIT)

    def open_under(self, anchor: QWidget) -> None:
        """Show the panel under `anchor`, within the screen."""
        self.adjustSize()
        self.move(position_under(anchor, self.width(), self.height()))
        self.show()

    def apply(self) -> None:
        """Accept the draft. The base class only closes; a subclass with a draft emits it."""
        self.close()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw an edge that stands out from the window below."""
        super().paintEvent(event)
        with QPainter(self) as painter:
            painter.setPen(edge_colour(self.palette()))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def changeEvent(self, event: QEvent) -> None:
        """Close when the control that it belongs to is disabled: Qt disables the panel too, and drops its keys."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled():
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


def open_menu(menu: QMenu, point: QPoint) -> None:
    """Open a menu at a point of the screen with the keyboard on its first entry, which screen readers then say."""
    menu.popup(point)
    activate_first(menu)


def activate_first(menu: QMenu) -> None:
    """Move the keyboard to the first entry of an open menu, unless it is on another one."""
    entries = [action for action in menu.actions() if action.isEnabled() and not action.isSeparator()]
    if entries and menu.activeAction() is None:
        menu.setActiveAction(entries[0])


class PopupListDelegate(QStyledItemDelegate):
    """Draws the rows of a popup's list: as high as menu entries, with visible check boxes."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        option.palette = outlined_palette(option.palette)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        hint = super().sizeHint(option, index)
        return QSize(hint.width(), option.fontMetrics.height() + UNIT)


def position_under(anchor: QWidget, width: int, height: int) -> QPoint:
    """Return the screen position of a panel that opens at `anchor`; `width` and `height` in pixels.

    The panel is under `anchor`, at its leading edge, or above `anchor` if there is not enough space below. It
    always lies within the screen.
    """
    origin = anchor.mapToGlobal(QPoint(0, 0))
    below = QRect(origin + QPoint(0, anchor.height() + 2), anchor.size())
    if anchor.layoutDirection() == Qt.LayoutDirection.RightToLeft:
        below.moveLeft(origin.x() + anchor.width() - width)
    screen = anchor.screen().availableGeometry()
    y = below.top()
    if y + height > screen.bottom() and origin.y() - height - 2 >= screen.top():
        y = origin.y() - height - 2
    x = max(screen.left(), min(below.left(), screen.right() - width))
    return QPoint(x, max(screen.top(), min(y, screen.bottom() - height)))


def buttons_in_order(parent: QWidget, accept: QAbstractButton, reject: QAbstractButton) -> QDialogButtonBox:
    """Return a box with two buttons in the order of the platform's dialogs."""
    box = QDialogButtonBox(parent)
    box.addButton(accept, QDialogButtonBox.ButtonRole.AcceptRole)
    box.addButton(reject, QDialogButtonBox.ButtonRole.RejectRole)
    return box
