"""Allows one window per profile: a second start raises the first window.

The two meet at a socket in a directory in which only this user can create files. Neither believes the other before
the system has confirmed its user.
"""

import hashlib
import os
import socket as unix
import stat
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from usage_viewer.app.atomic_write import make_private_directory
from usage_viewer.app.profile.data_directory import claim, is_own
from usage_viewer.app.profile.paths import PROGRAM, ProfilePaths

RAISE = b"raise\n"
SOCKET = "usage.socket"
"""Name of the socket in a profile's directory; it begins like the names of the profile's other files."""
CONNECT_TIMEOUT_MS = 500
ANSWER_TIMEOUT_MS = 5000
"""Long, since a connected window exists and may only be busy."""

_MAX_PATH = 103
"""Bytes of a socket's path on macOS; Linux allows 107."""
_NOBODY_LISTENS = (
    QLocalSocket.LocalSocketError.ServerNotFoundError,
    QLocalSocket.LocalSocketError.ConnectionRefusedError,
)
_CREDENTIALS = struct.Struct("3i")  # process, user, group: `struct ucred` of Linux


class OpenWindow(Enum):
    """What a start finds out about a window that is already open for the same profile."""

    NONE = auto()
    RAISED = auto()
    SILENT = auto()  # it exists, but did not answer


def raise_running(paths: ProfilePaths) -> OpenWindow:
    """Ask the open window of the same profile to come to the front."""
    found = OpenWindow.NONE
    for name in _names(paths):
        found = _raise_at(name)
        if found is not OpenWindow.NONE:
            break
    return found


class SingleInstance(QObject):
    """Answers later starts of the program and reports them."""

    raise_requested = Signal()

    def __init__(self, paths: ProfilePaths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        # `listen` replaces the file of a killed process, but also that of a window which is stopped or busy.
        if any(map(_is_in_use, _names(paths))):
            return
        if next(_names(paths), None) is None:
            _create_directory(paths)
        any(map(self._server.listen, _names(paths)))

    def close(self) -> None:
        """Stop answering."""
        self._server.close()

    def _on_connection(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.disconnected.connect(socket.deleteLater)
        if not _is_same_user(socket) or not _is_waiting(socket):
            socket.abort()
            return
        socket.write(RAISE)
        socket.flush()
        self.raise_requested.emit()


def _raise_at(name: str) -> OpenWindow:
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(CONNECT_TIMEOUT_MS):
        # A stopped window whose queue of connections is full refuses none; the system lets them wait.
        return OpenWindow.NONE if socket.error() in _NOBODY_LISTENS else OpenWindow.SILENT
    if not _is_same_user(socket):
        socket.abort()
        return OpenWindow.NONE
    # The answer may have arrived during the connection; then no further bytes follow.
    answered = bool(socket.bytesAvailable()) or socket.waitForReadyRead(ANSWER_TIMEOUT_MS)
    raised = answered and bytes(socket.readAll().data()).startswith(RAISE)
    socket.abort()
    return OpenWindow.RAISED if raised else OpenWindow.SILENT


def _is_in_use(name: str) -> bool:
    """Report whether a process of this user accepts connections, even one that is stopped or busy."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    connected = socket.waitForConnected(CONNECT_TIMEOUT_MS)
    in_use = _is_same_user(socket) if connected else socket.error() not in _NOBODY_LISTENS
    socket.abort()
    return in_use


def _is_same_user(socket: QLocalSocket) -> bool:
    """Report whether the process at the other end runs as this user, as far as the system can say.

    A directory that only this user can write to may lie in one that another user can replace as a whole.
    """
    if sys.platform != "linux":
        return True
    try:
        with unix.socket(fileno=os.dup(socket.socketDescriptor())) as duplicate:
            credentials = duplicate.getsockopt(unix.SOL_SOCKET, unix.SO_PEERCRED, _CREDENTIALS.size)
    except OSError:
        return False
    _, user, _ = _CREDENTIALS.unpack(credentials)
    return bool(user == os.geteuid())


def _is_waiting(socket: QLocalSocket) -> bool:
    """Report whether the start at the other end still waits for an answer.

    One that has given up, while this window was stopped or busy, must not undo the window's closing minutes later.
    """
    if sys.platform == "win32":
        return True
    try:
        with unix.socket(fileno=os.dup(socket.socketDescriptor())) as duplicate:
            return bool(duplicate.recv(1, unix.MSG_PEEK | unix.MSG_DONTWAIT))
    except BlockingIOError:
        return True
    except OSError:
        return False


def _names(paths: ProfilePaths) -> Iterator[str]:
    """Yield the paths of the profile's socket, the best first (Windows: the name of its pipe).

    They are in `$XDG_RUNTIME_DIR`, in the profile's directory and, for a profile whose path is too long or can't be
    written to, in a directory of this user among the temporary files. A directory is left out unless it is private.
    A start tries all, as the first window may have been started without `$XDG_RUNTIME_DIR`.
    """
    digest = hashlib.sha256(str(paths.directory.absolute()).encode(errors="surrogateescape")).hexdigest()[:16]
    name = f"{PROGRAM}-{digest}"
    if sys.platform == "win32":
        yield name
        return
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    candidates = (runtime / name, paths.directory.absolute() / SOCKET, _temporary_directory() / name)
    for path in candidates:
        if path.is_absolute() and len(os.fsencode(path)) <= _MAX_PATH and _is_private(path.parent):
            yield str(path)


def _create_directory(paths: ProfilePaths) -> None:
    """Create the profile's directory, or else one among the temporary files, as far as the disk permits."""
    claim(paths.data_dir)
    directories = (paths.directory, _temporary_directory()) if is_own(paths.data_dir) else (_temporary_directory(),)
    for directory in directories:
        with suppress(OSError):  # without it the next start can't raise this window, but it runs
            make_private_directory(directory)
        if next(_names(paths), None) is not None:
            return


def _temporary_directory() -> Path:
    return Path(tempfile.gettempdir()) / f"{PROGRAM}-{os.geteuid()}"


def _is_private(directory: Path) -> bool:
    try:
        status = directory.lstat()
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
