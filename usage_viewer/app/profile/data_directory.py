"""Marks data directories with a file, so that files of other programs are neither made private nor deleted."""

import errno
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from usage_viewer.app.atomic_write import make_private_directory, write_atomically
from usage_viewer.app.profile.paths import ProfilePaths, default_data_dir
from usage_viewer.domain.errors import InputError

MARKER = "usage-viewer.tag"
TEXT = (
    "Usage Viewer keeps its data in this directory. It makes its files here private to their owner,\n"
    "and `usage-viewer forget --all` deletes them.\n"
)
_SETTINGS = {
    "version",
    "profiles",
    "geometry",
    "bars",
    "abbreviated",
    "colour_scheme",
    "recent_zones",
    "organizations",
    "organization",
    "combined",
}
"""All names in the settings of versions that left no marker."""

_SIGNATURE = {"version", "profiles", "organizations"}
"""Names that every settings file has which this version or a later one saved."""

_SHOWN = 200
"""Characters of a path that an error shows."""

_PROFILE_FILES = ("usage.", "last-look.")
"""Beginnings of the names of an organization's files."""


def check_path(data_dir: Path) -> None:
    """Raise InputError for a path that the system or the database engine can't use."""
    problem = ""
    try:
        str(data_dir).encode()
        (data_dir / "profiles" / ("x" * 64) / "usage.duckdb.wal").exists()
    except UnicodeEncodeError:
        problem = "has bytes that are not UTF-8"
    except OSError as error:
        problem = f"can't be used: {error.strerror}" if error.errno == errno.ENAMETOOLONG else ""
    if "?" in str(data_dir):
        problem = "has a question mark, which the database engine takes for the end of the path"
    if problem:
        shown = str(data_dir)
        raise InputError(
            shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…",
            title=f"The path of the data directory {problem}",
            hint="Choose another directory with --data-dir.",
        )


def claim(data_dir: Path) -> None:
    """Leave a marker in a directory that is the program's own, or that has no entry with a name the program uses.

    Creates the directory. A directory in which another program has such an entry is not marked. Never raises: what
    is stored there next reports a disk that can't be written.
    """
    if is_own(data_dir) or not _entries(data_dir):
        with suppress(OSError):
            make_private_directory(data_dir)
            if not (data_dir / MARKER).exists():
                write_atomically(data_dir / MARKER, [TEXT.encode()], mode=0o600)


def claim_of(database: Path) -> None:
    """Claim the data directory of an organization's database, before the database is created."""
    if database == ProfilePaths(database.parents[2], database.parent.name).database:
        claim(database.parents[2])


def is_own(data_dir: Path) -> bool:
    """Report whether the directory is the program's: it has the marker, or is as earlier versions left theirs."""
    if (data_dir / MARKER).is_file() or data_dir == default_data_dir().absolute():
        return True
    entries = _entries(data_dir)
    return bool(entries) and all(map(_is_as_left, entries)) and any(map(_is_proof, entries))


def check_own(data_dir: Path) -> None:
    """Raise InputError if something in the directory is another program's under a name that this one uses."""
    if _entries(data_dir) and not is_own(data_dir):
        raise InputError(
            str(data_dir),
            title="This directory has files of another program",
            hint="Nothing was deleted. Check --data-dir, or delete the files yourself.",
        )


def _entries(data_dir: Path) -> list[Path]:
    """Return the entries whose names the program uses."""
    paths = ProfilePaths(data_dir)
    return [path for path in (paths.settings, paths.saved_views, paths.directory.parent) if path.exists()]


def _is_as_left(entry: Path) -> bool:
    """Report whether a settings file, or everything in the directory of the organizations, may be the program's."""
    try:
        if entry.is_dir():
            return all(map(_is_organization, entry.iterdir()))
        return _has_settings(entry) or not entry.stat().st_size
    except OSError:
        return False


def _is_organization(path: Path) -> bool:
    return path.is_dir() and all(file.name.startswith(_PROFILE_FILES) for file in path.iterdir())


def _is_proof(entry: Path) -> bool:
    """Report whether the program must have made the entry."""
    if entry.is_dir():
        return any(map(_is_database, entry.glob("*/usage.duckdb")))
    return _has_settings(entry)


def _has_settings(path: Path) -> bool:
    if not path.is_file():  # reading a pipe would wait
        return False
    try:
        stored: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(stored, dict) and bool(stored) and (stored.keys() <= _SETTINGS or stored.keys() >= _SIGNATURE)


def _is_database(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(12)[8:] == b"DUCK"
    except OSError:
        return False
