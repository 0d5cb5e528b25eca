"""One window for each profile's data: a second start raises the first one's window."""

import hashlib

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from usage_viewer.app.profile.paths import ProfilePaths

RAISE = b"raise\n"
CONNECTS_WITHIN = 500
ANSWERS_WITHIN = 5000
"""Milliseconds. Somebody is there once the connection stands, but its window may be busy."""


def _socket_name(place: ProfilePaths) -> str:
    digest = hashlib.sha256(str(place.directory.absolute()).encode()).hexdigest()[:16]
    return f"usage-viewer-{digest}"


def raise_running(place: ProfilePaths) -> bool:
    """Asks a running window on the same data to come to the front; False if there is none."""
    socket = QLocalSocket()
    socket.connectToServer(_socket_name(place))
    if not socket.waitForConnected(CONNECTS_WITHIN):
        return False
    # It may have answered while we waited for the connection: then nothing further comes.
    answered = bool(socket.bytesAvailable()) or socket.waitForReadyRead(ANSWERS_WITHIN)
    socket.disconnectFromServer()
    return answered


class SingleInstance(QObject):
    """Answers later starts, and says when one came."""

    raise_requested = Signal()

    def __init__(self, place: ProfilePaths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        name = _socket_name(place)
        if not self._server.listen(name):
            # Left behind by a process that was killed: nobody answers there, else we'd not be here.
            QLocalServer.removeServer(name)
            self._server.listen(name)

    def close(self) -> None:
        self._server.close()

    def _on_connection(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.disconnected.connect(socket.deleteLater)
        socket.write(RAISE)
        socket.flush()
        self.raise_requested.emit()
