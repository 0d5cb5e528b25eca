"""Stores the table that was visible when the window closed, so that the next start can paint it first.

A stored table is used once, and only if the database would give the same one: the program's version, the database,
the settings and the locale are unchanged and the range has not moved on. It contains visible texts and never a key.
The first paint waits for this module, so it imports little.
"""

import json
import os
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from usage_viewer import __version__
from usage_viewer.app.bounded_read import read_bounded
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.domain.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

FILE_NAME = "last-look.json"
MAX_ROWS = 60
"""More rows than a screen shows."""
MAX_PIXELS = 10_000
MAX_BYTES = 4_000_000
"""A larger file was not written by this program."""

_TEXTS = ("title", "heading", "status", "geometry", "scheme")
_HEIGHTS = ("heading_height", "header_height", "row_height")
_LISTS = {"labels": str, "widths": int, "right_aligned": bool, "totals": str}


@dataclass(frozen=True, slots=True)
class StartupTable:
    """Everything that the startup page paints.

    `valid_from` and `valid_until` are epoch seconds; heights and widths are pixels. `labels`, `right_aligned`,
    `widths`, `totals` and each row of `rows` have one item per visible column. `geometry` is Qt's window geometry
    in base64.
    """

    valid_from: int
    valid_until: int
    title: str
    heading: str
    status: str
    geometry: str
    scheme: str
    heading_height: int
    header_height: int
    row_height: int
    labels: list[str]
    right_aligned: list[bool]
    widths: list[int]
    totals: list[str]
    rows: list[list[str]]


_NAMES = tuple(field.name for field in fields(StartupTable))


def startup_table_path(paths: ProfilePaths) -> Path:
    """Return the file of a profile's stored table."""
    return paths.directory / FILE_NAME


def save_startup_table(paths: ProfilePaths, table: StartupTable) -> None:
    """Write the table together with the state of the files that it depends on. Raises OSError."""
    from usage_viewer.app.atomic_write import write_atomically

    content = {**asdict(table), "state": _state(paths)}
    write_atomically(startup_table_path(paths), [json.dumps(content).encode()], mode=0o600)


def find_startup_table(data_dir: Path) -> ProfilePaths | None:
    """Return the paths of the organization shown last if a table is stored for it. Never raises."""
    try:
        text = read_bounded(ProfilePaths(data_dir).settings, MAX_BYTES)
        paths = ProfilePaths(data_dir, str(json.loads(text).get("organization", "default")))
        return paths if startup_table_path(paths).is_file() else None
    except (OSError, ValueError, AttributeError, RecursionError, InputError):
        return None


def take_startup_table(paths: ProfilePaths, clock: "Callable[[], float]" = time.time) -> StartupTable | None:
    """Read the table and delete its file; return None if it is no longer valid. Never raises."""
    try:
        path = startup_table_path(paths)
        try:
            text = read_bounded(path, MAX_BYTES)
        finally:
            path.unlink()
        content = json.loads(text)
        if not _is_complete(content) or content["state"] != _state(paths):
            return None
        json.dumps(content, ensure_ascii=False).encode()  # raises for half of a surrogate pair, which Qt can't show
        if not content["valid_from"] <= clock() < content["valid_until"]:
            return None
        return StartupTable(**{name: content[name] for name in _NAMES})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _state(paths: ProfilePaths) -> list[Any]:
    """Return what must be unchanged. A log beside the database means that it is open or was not closed."""
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


def _is_complete(content: Any) -> bool:
    if not all(isinstance(content[name], str) for name in _TEXTS):
        return False
    if not all(isinstance(content[name], int) and 0 <= content[name] < MAX_PIXELS for name in _HEIGHTS):
        return False
    count = len(content["labels"])
    for name, kind in _LISTS.items():
        if len(content[name]) != count or not all(type(item) is kind for item in content[name]):
            return False
    if not all(0 <= width < MAX_PIXELS for width in content["widths"]):
        return False
    rows = content["rows"]
    return (
        all(len(row) == count and all(type(text) is str for text in row) for row in rows) and count * len(rows) > 0
    )
