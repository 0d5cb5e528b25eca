"""What the window showed when it was closed, kept so that the next start can paint it before anything is loaded.

It is used once, and only where asking the store would say the same: the database and the settings are as they were
left, by the same version of the program, and the range hasn't moved on. It holds what is seen in the table, never
a key. This module imports little: it is the first that a start needs.
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
"""More than a screen has."""

_TEXTS = ("title", "heading", "status", "geometry", "scheme")
_NUMBERS = ("top", "header", "row")
_LISTS = {"labels": str, "widths": int, "right": bool, "totals": str}


def path_of(place: ProfilePaths) -> Path:
    return place.directory / NAME


def keep_last_look(place: ProfilePaths, look: "Mapping[str, Any]") -> None:
    """Writes it. From `look["kept"]` to `look["until"]` (epoch seconds) it is what the store would say. Raises
    OSError.
    """
    from usage_viewer.app.atomic_write import write_atomically

    kept = {**look, "of": _state(place)}
    write_atomically(path_of(place), [json.dumps(kept).encode()], mode=0o600)


def place_of_last_look(data_dir: Path) -> ProfilePaths | None:
    """Where the organization looked at last has its data, if a last look is there. Never raises."""
    try:
        text = ProfilePaths(data_dir).settings.read_bytes()
        place = ProfilePaths(data_dir, str(json.loads(text).get("organization", "default")))
        return place if path_of(place).is_file() else None
    except (OSError, ValueError, AttributeError, RecursionError, InputError):
        return None


def take_last_look(place: ProfilePaths, clock: "Callable[[], float]" = time.time) -> dict[str, Any] | None:
    """If it still holds. Its file is gone afterwards. Never raises."""
    try:
        look = json.loads(path_of(place).read_bytes())
        path_of(place).unlink()
        holds = _is_whole(look) and look["of"] == _state(place) and look["kept"] <= clock() < look["until"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return look if holds else None


def _state(place: ProfilePaths) -> list[Any]:
    """What must not have changed. A log beside the database means that it was not closed, or is open."""
    files = [path.stat() for path in (place.database, place.settings)]
    logged = place.database.with_name(f"{place.database.name}.wal").exists()
    locale = [os.environ.get(name) for name in ("LANGUAGE", "LC_ALL", "LC_NUMERIC", "LC_TIME", "LANG")]
    return [
        __version__,
        logged,
        locale,
        list(time.tzname),
        *([one.st_size, one.st_mtime_ns, one.st_ino] for one in files),
    ]


def _is_whole(look: Any) -> bool:
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
