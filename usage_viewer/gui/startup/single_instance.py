"""Allows one window per profile: a second start raises the first window."""

import hashlib
import os
import stat
import sys
import tempfile
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from usage_viewer.app.profile.paths import PROGRAM, ProfilePaths

RAISE = b"raise\n"
CONNECT_TIMEOUT_MS = 500
ANSWER_TIMEOUT_MS = 5000
"""Long, since a connected window exists and may only be busy."""


class OpenWindow(Enum):
    """What a start finds out about a window that is already open for the same profile."""

    NONE = auto()
    RAISED = auto()
    SILENT = auto()  # it exists, but did not answer


def raise_running(paths: ProfilePaths) -> OpenWindow:
    """Ask the open window of the same profile to come to the front."""
    name = _socket_name(paths)
    if name is None:
        return OpenWindow.NONE
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(CONNECT_TIMEOUT_MS):
        return OpenWindow.NONE
    # The answer may have arrived during the connection; then no further bytes follow.
    answered = bool(socket.bytesAvailable()) or socket.waitForReadyRead(ANSWER_TIMEOUT_MS)
    socket.disconnectFromServer()
    return OpenWindow.RAISED if answered else OpenWindow.SILENT


class SingleInstance(QObject):
    """Answers later starts of the program and reports them."""

    raise_requested = Signal()

    def __init__(self, paths: ProfilePaths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        name = _socket_name(paths)
        # `listen` replaces the file of a killed process, but also that of a window which is stopped or busy.
        if name is not None and not _is_answered(name):
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


def _is_answered(name: str) -> bool:
    """Report whether a process accepts connections, even one that is stopped or busy."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    connected = socket.waitForConnected(CONNECT_TIMEOUT_MS)
    socket.abort()
    return connected


def _socket_name(paths: ProfilePaths) -> str | None:
    """Return the path of the profile's socket (Windows: the name of its pipe); None if no directory is safe."""
    digest = hashlib.sha256(str(paths.directory.absolute()).encode(errors="surrogateescape")).hexdigest()[:16]
    name = f"{PROGRAM}-{digest}"
    if sys.platform == "win32":
        return name
    directory = private_directory()
    return None if directory is None else str(directory / name)


def private_directory() -> Path | None:
    """Return a directory for sockets in which only this user can create files; None if there is none.

    It is `$XDG_RUNTIME_DIR`, or else a directory of this user in the system's directory for temporary files.
    Another user may have created the latter: then a second start can't raise the first window, but it runs.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if Path(runtime).is_absolute() and _is_private(Path(runtime)):
        return Path(runtime)
    directory = Path(tempfile.gettempdir()) / f"{PROGRAM}-{os.geteuid()}"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return directory if _is_private(directory) else None


def _is_private(directory: Path) -> bool:
    try:
        found = directory.lstat()
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
