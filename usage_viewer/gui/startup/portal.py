"""Makes the desktop's portal know this process before other processes are kept from it."""

from typing import Final

from PySide6.QtDBus import QDBus, QDBusConnection, QDBusMessage
from PySide6.QtGui import QGuiApplication

from usage_viewer.app.file_permissions import protect_memory

PORTAL: Final = "org.freedesktop.portal.Desktop"
TIMEOUT_MS: Final = 1000
"""A portal that runs answers within 5 ms. One that the question starts takes longer, and slow starts are worse."""


def protect_window() -> None:
    """Protect the memory of a process with a window, after the portal has answered a question of its own.

    The portal provides colours, the title bar's buttons and file dialogs. It refuses a process unless it can open
    `/proc/PID/root`, which `protect_memory` prevents, but looks there only for the first question of a connection.
    Call this after Qt has created its application, and before a key is read.
    """
    if QGuiApplication.platformName() in ("xcb", "wayland"):
        _ask_portal(QDBusConnection.sessionBus())  # Qt itself uses this connection
    protect_memory()


def _ask_portal(bus: QDBusConnection) -> None:
    if not bus.isConnected():
        return
    question = QDBusMessage.createMethodCall(
        PORTAL, "/org/freedesktop/portal/desktop", "org.freedesktop.DBus.Properties", "Get"
    )
    question.setArguments(["org.freedesktop.portal.Settings", "version"])
    bus.call(question, QDBus.CallMode.Block, TIMEOUT_MS)  # any answer will do, also an error
