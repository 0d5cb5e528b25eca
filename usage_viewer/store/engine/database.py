"""`Database`: the DuckDB file: opening it safely, a cursor for each call, and DuckDB's errors as typed ones."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import (
    Cancelled,
    StoreDamaged,
    StoreError,
    StoreLocked,
    StoreNewer,
    StoreNotWritable,
)

Connection = duckdb.DuckDBPyConnection

MEMORY_LIMIT = "1GB"
MOST_THREADS = 4
LONGEST_LOG = "32MB"
"""Kept before it is worked into the file: what is fetched at first is then written there once, not a part of it
over and over, which leaves a quarter of the file free. After a crash it is read again, in a sixth of a second.
"""
CLOSE_WITHIN = 1.0
"""Seconds that closing waits for interrupted queries to let go."""


def _connect(path: Path | None, folder: Path | None) -> Connection:
    target = str(path) if path else ":memory:"
    if folder is None:
        return duckdb.connect(target, config={**_settings(), "enable_external_access": "false"})
    connection = duckdb.connect(target, config=_settings())
    listed = str(folder).replace("'", "''")
    connection.execute(f"SET allowed_directories = ['{listed}']")
    connection.execute("SET enable_external_access = false")  # cannot be taken back
    return connection


def _settings() -> dict[str, str | bool | int | float | list[str]]:
    return {
        # No query may reach the network or another file.
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "temp_directory": "",
        "memory_limit": MEMORY_LIMIT,
        "checkpoint_threshold": LONGEST_LOG,
        "threads": str(min(MOST_THREADS, os.cpu_count() or 1)),
    }


class Database:
    """One open file (None: in memory). Only one process can have it open.

    `folder` is the one directory in which queries may read and write files; without it there is none.
    """

    def __init__(self, path: Path | None, *, folder: Path | None = None) -> None:
        """Raises StoreLocked, StoreDamaged, StoreNewer, StoreNotWritable."""
        self.path = path
        self._guard = threading.Condition()
        self._running: set[Connection] = set()
        self._closed = self._emptying = False
        self._folder = folder
        self._open()

    def _open(self) -> None:
        if self.path is not None:
            _prepare(self.path)
        with typed_errors(), _private_files():
            self._connection = _connect(self.path, self._folder)
        self.restrict()

    @contextmanager
    def cursor(self, cancel: Cancellation | None = None) -> Iterator[Connection]:
        """A cursor of its own for one call. Raises StoreError, and Cancelled where `cancel` or closing stops it."""
        with self._guard:
            self._guard.wait_for(lambda: not self._emptying)
            if self._closed:
                raise StoreError(title="The local database is closed")
            cursor = self._connection.cursor()
            self._running.add(cursor)
        try:
            with typed_errors(), (cancel or Cancellation()).on_cancel(cursor.interrupt):
                yield cursor
        finally:
            with self._guard:
                cursor.close()
                self._running.discard(cursor)
                self._guard.notify_all()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing: whatever goes wrong within leaves the file as it was."""
        with self.cursor() as cursor:
            cursor.begin()
            try:
                yield cursor
                cursor.commit()
            except BaseException:
                with suppress(duckdb.Error):  # it may have ended by itself: what went wrong before says why
                    cursor.rollback()
                raise
        self.restrict()

    def close(self) -> None:
        """Interrupts what runs and lets go of the file. May be called again."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            self._stop_all()
            with typed_errors():
                self._connection.close()

    def begin_anew(self) -> None:
        """An empty file in place of this one. Dropping tables would leave what they held in the file's free blocks.

        Queries that run are stopped, others wait meanwhile.
        """
        with self._guard:
            self._emptying = True
            try:
                self._stop_all()
                with typed_errors():
                    self._connection.close()
                if self.path is not None:
                    _remove(self.path)
                self._open()
            finally:
                self._emptying = False
                self._guard.notify_all()

    def _stop_all(self) -> None:
        for cursor in self._running:
            cursor.interrupt()
        self._guard.wait_for(lambda: not self._running, CLOSE_WITHIN)

    def restrict(self) -> None:
        """The files are for their owner alone; DuckDB makes the log anew at any write."""
        if self.path is None:
            return
        for path in (self.path, wal_of(self.path)):
            try:
                if path.stat().st_mode & 0o077:
                    path.chmod(0o600)
            except FileNotFoundError:
                continue
            except OSError:
                return  # a file system without permissions


def wal_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _prepare(path: Path) -> None:
    try:
        for directory in reversed(path.parents):
            directory.mkdir(mode=0o700, exist_ok=True)  # with `parents` the mode is for the last one alone
        # A process that ended while it made the file leaves an empty one, which DuckDB takes for damaged.
        if path.is_file() and path.stat().st_size == 0:
            path.unlink()
    except OSError as error:
        raise StoreNotWritable(str(error)) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        wal_of(path).unlink(missing_ok=True)
    except OSError as error:
        raise StoreNotWritable(str(error)) from error


@contextmanager
def _private_files() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


_LOCKED = ("could not set lock", "conflicting lock", "being used by another process")
_NEWER = ("newer version", "version number", "storage version")
_NO_SPACE = ("no space left", "disk full", "not enough space", "quota exceeded", "out of disk", "file too large")
_NOT_WRITABLE = (
    "permission denied",
    "access is denied",
    "read-only",
    "read only",
    "cannot open file",
    "cannot create",
    "is a directory",
    "not a directory",
    "could not write",
    "failed to write",
    "could not truncate",
)
_DAMAGED = (
    "not a valid duckdb",
    "corrupt",
    "checksum",
    "could not read",
    "has been invalidated",
    "failed to deserialize",
    "failure while replaying",
    "metadata block",
)
_UNLIKE_WRITTEN = (
    duckdb.InternalException,
    duckdb.FatalException,
    duckdb.SerializationException,
    # The statements are the program's own: what doesn't fit them is not as it was written.
    duckdb.CatalogException,
    duckdb.BinderException,
    duckdb.ConversionException,
)


@contextmanager
def typed_errors() -> Iterator[None]:
    """DuckDB's errors leave as this program's: Cancelled or one of StoreError."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise Cancelled from error
    except duckdb.Error as error:
        raise _typed(error) from error


def _typed(error: duckdb.Error) -> StoreError:
    detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    text = str(error).lower()
    if any(word in text for word in _LOCKED):
        return StoreLocked(detail)
    if any(word in text for word in _NO_SPACE):
        return StoreNotWritable(
            detail, title="The disk is full", hint="Free some space, or choose another place with --data-dir."
        )
    if any(word in text for word in _DAMAGED):
        return StoreDamaged(detail)
    if any(word in text for word in _NEWER):
        return StoreNewer(detail)
    if any(word in text for word in _NOT_WRITABLE):
        return StoreNotWritable(detail)
    if isinstance(error, duckdb.OutOfMemoryException):
        return StoreError(
            detail, title="The memory is not enough for this", hint="Choose a shorter range or a coarser period."
        )
    if isinstance(error, _UNLIKE_WRITTEN):
        return StoreDamaged(detail)
    return StoreError(detail)
