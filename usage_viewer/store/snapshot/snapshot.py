"""Snapshots: what is held of a stretch of time as plain Parquet files, and a store in memory out of them."""

from usage_viewer.store.snapshot.format import (
    HELD_COLUMNS,
    HELD_FILE,
    NAME_COLUMNS,
    NAMES_FILE,
    PlainColumn,
    columns_of,
    file_of,
)
from usage_viewer.store.snapshot.reader import load_snapshot
from usage_viewer.store.snapshot.writer import save_snapshot

__all__ = [
    "HELD_COLUMNS",
    "HELD_FILE",
    "NAMES_FILE",
    "NAME_COLUMNS",
    "PlainColumn",
    "columns_of",
    "file_of",
    "load_snapshot",
    "save_snapshot",
]
