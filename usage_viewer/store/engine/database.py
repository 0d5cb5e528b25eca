"""Opens the DuckDB file safely, gives each call a cursor, and converts DuckDB's errors to typed ones."""

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
from usage_viewer.store.engine.file_kind import check_kind

Connection = duckdb.DuckDBPyConnection

MEMORY_LIMIT = "1GB"
MAX_THREADS = 4
MAX_LOG = "32MB"
"""Size of the write-ahead log at which DuckDB merges it into the file.

So large a log lets a first fetch be merged once. Repeated merges leave a quarter of the file free. After a crash,
reading a full log takes 0.17 s.
"""
OUT_OF_MEMORY = "Not enough memory for this"
"""The title of the error that DuckDB's lack of memory is reported as."""

CLOSE_WITHIN = 1.0
"""Seconds that closing waits for interrupted queries to end."""


def _connect(path: Path | None, folder: Path | None) -> Connection:
    target = str(path) if path else ":memory:"
    if folder is None:
        return duckdb.connect(target, config={**_settings(), "enable_external_access": "false"})
    connection = duckdb.connect(target, config=_settings())
    listed = str(folder).replace("'", "''")
    connection.execute(f"SET allowed_directories = ['{listed}']")
    connection.execute("SET enable_external_access = false")  # DuckDB does not allow this to be undone
    return connection


def _settings() -> dict[str, str | bool | int | float | list[str]]:
    return {
        # No query may access the network or another file.
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "temp_directory": "",
        "memory_limit": MEMORY_LIMIT,
        "checkpoint_threshold": MAX_LOG,
        "threads": str(min(MAX_THREADS, os.cpu_count() or 1)),
    }


class Database:
    """Holds one open file (None: in memory), which only one process can have open.

    Queries may read and write files in `folder` only; None: nowhere.
    """

    def __init__(self, path: Path | None, *, folder: Path | None = None) -> None:
        """Open or creates the file. Raises StoreLocked, StoreDamaged, StoreNewer, StoreNotWritable."""
        self.path = path
        self._condition = threading.Condition()
        self._running: set[Connection] = set()
        self._closed = self._recreating = False
        self._damage: StoreDamaged | None = None
        self._folder = folder
        self.is_new = True
        """Whether neither the file nor its log existed before."""
        self._open()

    def _open(self) -> None:
        if self.path is not None:
            _prepare(self.path)
            check_kind(self.path)
            check_kind(wal_path(self.path))
            self.is_new = not (self.path.exists() or wal_path(self.path).exists())
        with typed_errors(), _private_files():
            self._connection = _connect(self.path, self._folder)
        self.restrict()

    @contextmanager
    def cursor(self, cancel: Cancellation | None = None) -> Iterator[Connection]:
        """Open a cursor for one call. Raises StoreError, and Cancelled if `cancel` or closing stops it."""
        with self._condition:
            self._condition.wait_for(lambda: not self._recreating)
            if self._closed:
                raise StoreError(title="The local database is closed")
            self.raise_damage()
            cursor = self._connection.cursor()
            self._running.add(cursor)
        try:
            with typed_errors(), (cancel or Cancellation()).on_cancel(cursor.interrupt):
                yield cursor
        finally:
            with self._condition:
                cursor.close()
                self._running.discard(cursor)
                self._condition.notify_all()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a cursor in a transaction: any error leaves the file unchanged. Raises StoreError, Cancelled."""
        with self.cursor() as cursor:
            cursor.begin()
            try:
                yield cursor
                cursor.commit()
            except BaseException:
                with suppress(duckdb.Error):  # the transaction may have ended; the first error is raised
                    cursor.rollback()
                raise
        self.restrict()

    def refuse(self, damage: StoreDamaged) -> None:
        """Raise this damage at every later use, until the file is replaced."""
        self._damage = damage

    def raise_damage(self) -> None:
        """Raise the damage that was found earlier."""
        if self._damage is not None:
            raise StoreDamaged(self._damage.detail)

    def close(self) -> None:
        """Interrupts running queries and closes the file. May be called again."""
        with self._condition:
            if self._closed:
                return
            self._closed = True
            self._stop_all()
            with typed_errors():
                self._connection.close()

    def recreate(self) -> None:
        """Replace the file by an empty one. Dropping tables would leave their data in the file's free blocks.

        Running queries are interrupted; new ones wait. Raises StoreError.
        """
        with self._condition:
            self._recreating = True
            try:
                self._stop_all()
                with typed_errors():
                    self._connection.close()
                if self.path is not None:
                    _remove(self.path)
                self._damage = None
                self._open()
            finally:
                self._recreating = False
                self._condition.notify_all()

    def _stop_all(self) -> None:
        for cursor in self._running:
            cursor.interrupt()
        self._condition.wait_for(lambda: not self._running, CLOSE_WITHIN)

    def restrict(self) -> None:
        """Make the file and its log readable by their owner only. DuckDB may create a new log at any write."""
        if self.path is None:
            return
        for path in (self.path, wal_path(self.path)):
            try:
                if path.stat().st_mode & 0o077:
                    path.chmod(0o600)
            except FileNotFoundError:
                continue
            except OSError:
                return  # a file system without permissions


def quoted(name: str) -> str:
    """Return an SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def wal_path(path: Path) -> Path:
    """Return the path of a file's write-ahead log."""
    return path.with_name(path.name + ".wal")


def _prepare(path: Path) -> None:
    try:
        for directory in reversed(path.parents):
            directory.mkdir(mode=0o700, exist_ok=True)  # mkdir(parents=True) sets the mode of the last one only
        # A process that ends while it creates the file leaves an empty one, which DuckDB reports as damaged.
        if path.is_file() and path.stat().st_size == 0:
            path.unlink()
    except OSError as error:
        raise StoreNotWritable(str(error)) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        wal_path(path).unlink(missing_ok=True)
    except OSError as error:
        raise StoreNotWritable(str(error)) from error


@contextmanager
def _private_files() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def damage_if_misread() -> Iterator[None]:
    """Convert errors of code that reads a file's contents to StoreDamaged: the program wrote others."""
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise StoreDamaged(f"Its contents can't be read ({type(error).__name__}: {error}).") from error


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
    "metadata",
    "no more data",
)
_UNEXPECTED = (
    duckdb.InternalException,
    duckdb.FatalException,
    duckdb.SerializationException,
    # The statements are this program's: a file that they don't fit was damaged.
    duckdb.CatalogException,
    duckdb.BinderException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.InvalidInputException,
    duckdb.TypeMismatchException,
)


@contextmanager
def typed_errors() -> Iterator[None]:
    """Convert DuckDB's errors to Cancelled or a StoreError."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise Cancelled from error
    except duckdb.Error as error:
        raise _typed(error) from error
    except (RuntimeError, UnicodeDecodeError) as error:
        if isinstance(error, RuntimeError) and not str(error).startswith(_BINDING):
            raise
        # DuckDB's binding can't convert a damaged text, such as the name of a column, to Python's.
        raise StoreDamaged(f"A text in it can't be read ({error}).") from error


_BINDING = ("nanobind::", "std::")
"""Beginnings of the errors that DuckDB's binding for Python raises itself."""


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
        return StoreError(detail, title=OUT_OF_MEMORY, hint="Choose a shorter range or a coarser period.")
    if isinstance(error, _UNEXPECTED):
        return StoreDamaged(detail)
    return StoreError(detail)
