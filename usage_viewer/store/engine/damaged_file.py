"""Keeps a damaged database as a copy."""

from datetime import datetime
from pathlib import Path

from usage_viewer.domain.errors import StoreNotWritable
from usage_viewer.store.engine.database import wal_path


def set_aside(path: Path) -> Path:
    """Rename a damaged file and its log, so that a new one can be created; return its new path.

    Raises StoreNotWritable.
    """
    name = f"{path.stem}.damaged-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    aside, number = path.with_name(name + path.suffix), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{name}-{number}{path.suffix}")
    try:
        path.rename(aside)
        if wal_path(path).exists():
            wal_path(path).rename(wal_path(aside))
    except OSError as error:
        raise StoreNotWritable(str(error)) from error
    return aside
