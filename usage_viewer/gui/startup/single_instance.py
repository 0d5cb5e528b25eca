"""Allows one window per profile: a second start raises the first window."""

import hashlib

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from usage_viewer.app.profile.paths import ProfilePaths

RAISE = b"raise\n"
CONNECT_TIMEOUT_MS = 500
ANSWER_TIMEOUT_MS = 5000
"""Long, since a connected window exists and may only be busy."""


def _socket_name(paths: ProfilePaths) -> str:
    digest = hashlib.sha256(str(paths.directory.absolute()).encode()).hexdigest()[:16]
    return f"usage-viewer-{digest}"


def raise_running(paths: ProfilePaths) -> bool:
    """Asks the open window of the same profile to come to the front; returns False if there is none."""
    socket = QLocalSocket()
    socket.connectToServer(_socket_name(paths))
    if not socket.waitForConnected(CONNECT_TIMEOUT_MS):
        return False
    # The answer may have arrived during the connection; then no further bytes follow.
    answered = bool(socket.bytesAvailable()) or socket.waitForReadyRead(ANSWER_TIMEOUT_MS)
    socket.disconnectFromServer()
    return answered


class SingleInstance(QObject):
    """Answers later starts of the program and reports them."""

    raise_requested = Signal()

    def __init__(self, paths: ProfilePaths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        name = _socket_name(paths)
        if not self._server.listen(name):
            # A killed process left the socket: nothing answers there, or this process would have ended.
            QLocalServer.removeServer(name)
            self._server.listen(name)

    def close(self) -> None:
        """Stop answering."""
        self._server.close()

    def _on_connection(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.disconnected.connect(socket.deleteLater)
        socket.write(RAISE)
        socket.flush()
        self.raise_requested.emit()
