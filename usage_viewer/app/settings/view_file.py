"""Reads and writes saved views: in the data directory, where several processes edit them, and in files to share.

A file has no data: views hold names of fields, ids in filters and ranges, but no figures, and never a key.
"""

import errno
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from usage_viewer.app.atomic_write import make_private_directory, write_atomically
from usage_viewer.app.bounded_read import read_bounded
from usage_viewer.app.file_lock import locked
from usage_viewer.app.json_text import parse_json
from usage_viewer.app.profile.data_directory import claim
from usage_viewer.app.settings.saved_views import (
    MOST_VIEWS,
    READY_MADE,
    Change,
    SavedView,
    SavedViews,
    free_name,
    masked,
)
from usage_viewer.domain.errors import (
    NotAViewFile,
    StoreNotWritable,
    ViewFileDamaged,
    ViewFileError,
    ViewFileNewer,
    ViewFileTooLarge,
)

VERSION: Final = 1
KIND: Final = "usage-viewer saved views"
LARGEST_FILE: Final = 2 * 2**20
"""Bytes that a file of views may have; a view has about 500."""


@dataclass(frozen=True, slots=True)
class ViewList:
    """Holds the saved views of a data directory.

    `week_start` is the first day of a week (Monday is 0) in the window that saved them: the command line, which
    has no locale, counts weeks in the same way. `note` describes a problem when they were read.
    """

    views: SavedViews = READY_MADE
    week_start: int = 0
    note: str = ""


def load_views(path: Path | None) -> ViewList:
    """Return the saved views in `path`; the ready-made ones if there is no file.

    Never raises, and never changes the file.
    """
    if path is None:
        return ViewList()
    try:
        content = read_bounded(path, LARGEST_FILE)
    except FileNotFoundError:
        return ViewList()
    except OSError as error:
        return ViewList(note=f"The saved views can't be read ({error.strerror}). The ready-made ones are shown.")
    try:
        return _parse_list(content)
    except ViewFileNewer as error:
        return ViewList(note=f"{error.title}. The ready-made ones are shown.")
    except ViewFileError:
        return ViewList(note="The saved views are damaged. The ready-made ones are shown.")


def change_views(path: Path, change: Change, week_start: int = 0) -> SavedViews:
    """Apply an edit to the views that are in the file now, and return the new list.

    No edit of another process is lost: one at a time reads, edits and writes. A damaged file is kept as
    `views.damaged.json`. Raises InputError of the edit, StoreNotWritable, and ViewFileNewer for a file that this
    version must not overwrite.
    """
    claim(path.parent)
    try:
        make_private_directory(path.parent)
        with locked(path):
            views = change(_read_for_change(path))
            _write(path, views, week_start)
    except OSError as error:
        raise StoreNotWritable(f"{path}: {error.strerror}", title="The saved views can't be saved") from error
    return views


def _read_for_change(path: Path) -> SavedViews:
    """Return the views in `path`; move a damaged file aside. Raises OSError, ViewFileNewer."""
    try:
        return _parse_list(read_bounded(path, LARGEST_FILE)).views
    except FileNotFoundError:
        return READY_MADE
    except ViewFileNewer:
        raise
    except ViewFileError:
        pass
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
    path.replace(path.with_name(f"{path.stem}.damaged{path.suffix}"))
    return READY_MADE


def _write(path: Path, views: SavedViews, week_start: int) -> None:
    listed = [{"id": one.id, "name": one.name, "view": one.stored} for one in views]
    stored = {"version": VERSION, "week_start": week_start, "views": listed}
    write_atomically(path, [_text(stored)], mode=0o600)


def _parse_list(content: bytes) -> ViewList:
    """Return the views of a data directory's file. Raises ViewFileNewer, ViewFileDamaged."""
    with suppress(ValueError, RecursionError):
        stored = parse_json(content)
        if isinstance(stored, dict) and isinstance(stored.get("views"), list):
            _check_version(stored.get("version"))
            first = stored.get("week_start")
            return ViewList(_views(stored["views"]), first if isinstance(first, int) and 0 <= first < 7 else 0)
    raise ViewFileDamaged


def _views(items: list[Any]) -> SavedViews:
    """Return the entries that are views, each with a valid name and an id of its own."""
    views: list[SavedView] = []
    for number, item in enumerate(items[:MOST_VIEWS]):
        if isinstance(item, dict) and isinstance(item.get("view"), dict) and isinstance(item.get("name"), str):
            id = item.get("id")
            if (
                not isinstance(id, str)
                or not re.fullmatch("[a-z0-9-]{1,40}", id)
                or id in {one.id for one in views}
            ):
                id = f"entry-{number}"
            views.append(SavedView(id, free_name(item["name"], views), item["view"]))
    return tuple(views)


def _check_version(version: object) -> None:
    if isinstance(version, int) and version > VERSION:
        raise ViewFileNewer(f"version {version}")


# Files to share


def export_views(path: Path, views: SavedViews) -> None:
    """Write views to a file that `read_view_file` reads. Raises ExportError."""
    listed = [{"name": one.name, "view": masked(one.stored)} for one in views]
    try:
        write_atomically(path, [_text({"kind": KIND, "version": VERSION, "views": listed})])
    except OSError as error:
        from usage_viewer.app.export.save import export_error  # a start reads the list without it

        raise export_error(error, path) from error


def read_view_file(path: Path) -> SavedViews:
    """Return the views in an exported file, with names that are safe to show. Raises ViewFileError."""
    try:
        content = read_bounded(path, LARGEST_FILE)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ViewFileTooLarge(f"{path.name}: {error.strerror}") from error
        raise ViewFileError(f"{path.name}: {error.strerror}") from error
    try:
        stored = parse_json(content)
    except (ValueError, RecursionError) as error:
        raise (ViewFileDamaged if KIND.encode() in content else NotAViewFile)(path.name) from error
    if not isinstance(stored, dict) or stored.get("kind") != KIND:
        raise NotAViewFile(path.name)
    _check_version(stored.get("version"))
    items = stored.get("views")
    if not isinstance(items, list) or len(views := _views(masked(items))) != len(items):
        if isinstance(items, list) and len(items) > MOST_VIEWS:
            raise ViewFileTooLarge(f"{path.name}: it has more than {MOST_VIEWS} views")
        raise ViewFileDamaged(path.name)
    return views


def _text(stored: dict[str, Any]) -> bytes:
    return (json.dumps(stored, indent=2, ensure_ascii=False) + "\n").encode()
