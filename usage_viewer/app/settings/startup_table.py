"""Saves the visible table when the window closes, so that the next start can paint it before loading anything.

The saved table is used once, and only if the store would give the same table: the database and the settings are
unchanged, the program has the same version, and the range has not moved with the clock. The file has the texts of
the table, never a key. This module imports little, because it is the first one that a start needs.
"""

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from usage_viewer import __version__
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.domain.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAME = "last-look.json"
MOST_ROWS = 60
"""Largest number of saved rows: more than fit on a screen."""

_TEXTS = ("title", "heading", "status", "geometry", "scheme")
_NUMBERS = ("top", "header", "row")
_LISTS = {"labels": str, "widths": int, "right": bool, "totals": str}


def path_of(paths: ProfilePaths) -> Path:
    """Return the path of a profile's saved table."""
    return paths.directory / NAME


def keep_last_look(paths: ProfilePaths, look: "Mapping[str, Any]") -> None:
    """Save the table. It is valid from `look["kept"]` to `look["until"]` (epoch seconds). Raises OSError."""
    from usage_viewer.app.atomic_write import write_atomically

    stored = {**look, "of": _state(paths)}
    write_atomically(path_of(paths), [json.dumps(stored).encode()], mode=0o600)


def place_of_last_look(data_dir: Path) -> ProfilePaths | None:
    """Return the paths of the organization that was open last, if it has a saved table. Never raises."""
    try:
        text = ProfilePaths(data_dir).settings.read_bytes()
        paths = ProfilePaths(data_dir, str(json.loads(text).get("organization", "default")))
        return paths if path_of(paths).is_file() else None
    except (OSError, ValueError, AttributeError, RecursionError, InputError):
        return None


def take_last_look(paths: ProfilePaths, clock: "Callable[[], float]" = time.time) -> dict[str, Any] | None:
    """Return the saved table if it is still valid, and delete its file. Never raises."""
    try:
        look = json.loads(path_of(paths).read_bytes())
        path_of(paths).unlink()
        is_valid = _is_complete(look) and look["of"] == _state(paths) and look["kept"] <= clock() < look["until"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return look if is_valid else None


def _state(paths: ProfilePaths) -> list[Any]:
    """Return everything that must be unchanged for the saved table to be valid.

    If the database has a log file, the database is open or was not closed properly.
    """
    files = [path.stat() for path in (paths.database, paths.settings)]
    has_log = paths.database.with_name(f"{paths.database.name}.wal").exists()
    locale = [os.environ.get(name) for name in ("LANGUAGE", "LC_ALL", "LC_NUMERIC", "LC_TIME", "LANG")]
    return [
        __version__,
        has_log,
        locale,
        list(time.tzname),
        *([file.st_size, file.st_mtime_ns, file.st_ino] for file in files),
    ]


def _is_complete(look: Any) -> bool:
    if not all(isinstance(look[name], str) for name in _TEXTS):
        return False
    if not all(isinstance(look[name], int) and 0 <= look[name] < 10_000 for name in _NUMBERS):
        return False
    count = len(look["labels"])
    for name, kind in _LISTS.items():
        if len(look[name]) != count or not all(type(one) is kind for one in look[name]):
            return False
    rows = look["rows"]
    return (
        all(len(row) == count and all(type(text) is str for text in row) for row in rows) and count * len(rows) > 0
    )
