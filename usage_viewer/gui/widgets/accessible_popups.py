"""Shows open popups to screen readers as children of their window. Qt has them as windows of their own.

Qt lists no popup among the program's windows, so that a screen reader that walks the tree would not find it, and
its parent would be the program.
"""

from functools import cache

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QMainWindow, QWidget

from usage_viewer.gui.widgets.popup import Popup


@cache
def show_popups_as_children() -> None:
    """Use the interfaces of this module for main windows and popups from now on."""
    QAccessible.installFactory(_interface_of)


def _interface_of(_class_name: str, thing: QObject) -> QAccessibleInterface | None:
    """Return the interface of an object; None leaves it to Qt."""
    if isinstance(thing, Popup):
        return _PopupInterface(thing, QAccessible.Role.Grouping)
    if isinstance(thing, QMainWindow):
        return _WindowInterface(thing, QAccessible.Role.Window)
    return None


class _PopupInterface(QAccessibleWidget):
    """Describes a popup as a part of the window that it belongs to."""

    def parent(self) -> QAccessibleInterface:
        return QAccessible.queryAccessibleInterface(_owner(self.widget()))


class _WindowInterface(QAccessibleWidget):
    """Describes a window with its open popups as the last children."""

    def childCount(self) -> int:
        return super().childCount() + len(self._popups())

    def child(self, index: int) -> QAccessibleInterface:
        popups, own = self._popups(), super().childCount()
        if own <= index < own + len(popups):
            return QAccessible.queryAccessibleInterface(popups[index - own])
        return super().child(index)

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        popups = self._popups()
        widget = child.object()
        return super().childCount() + popups.index(widget) if widget in popups else super().indexOfChild(child)

    def _popups(self) -> list[Popup]:
        return [popup for popup in self.widget().findChildren(Popup) if popup.isVisible()]


def _owner(popup: QWidget) -> QWidget:
    parent = popup.parentWidget()
    return popup if parent is None else parent.window()
