"""Recognizes files of other kinds before DuckDB opens them.

DuckDB would wait for a writer at a pipe, and load an extension for SQLite's files.
"""

import stat
from pathlib import Path
from typing import Final

from usage_viewer.domain.errors import StoreDamaged, StoreNotWritable

TITLE: Final = "The local database is another program's file"
_HEAD: Final = 16  # bytes that are read
_FORMATS: Final = {
    b"SQLite format 3\0": "an SQLite database",
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a zip archive",
}
_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def check_kind(path: Path) -> None:
    """Raise StoreDamaged if `path` exists and is of another kind, StoreNotWritable if it can't be read."""
    try:
        found = _foreign_kind(path)
    except OSError as error:
        raise StoreNotWritable(str(error)) from error
    if found:
        raise StoreDamaged(f"{path} is {found}.", title=TITLE)


def _foreign_kind(path: Path) -> str:
    """Return what the file is if it is surely no DuckDB file, else "". Raises OSError."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return ""
    for is_kind, name in _KINDS:
        if is_kind(mode):
            return name
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return next((name for magic, name in _FORMATS.items() if head.startswith(magic)), "")
