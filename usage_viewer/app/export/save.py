"""Saves an export as a file."""

import errno
from collections.abc import Iterator
from pathlib import Path

from usage_viewer.app.atomic_write import Opener, write_atomically
from usage_viewer.app.export.content import Export, Format
from usage_viewer.app.export.export import chunks
from usage_viewer.app.export.workbook import workbook_pieces
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import Cancelled, ExportError

BYTE_ORDER_MARK = "\ufeff"
"""The beginning of CSV files: without it Excel reads UTF-8 as the system's legacy code page.

Readers of the other formats expect UTF-8, and some fail on a mark."""

_REASONS = {
    errno.ENOSPC: ("The disk is full", "Free some space, or choose another place."),
    errno.EDQUOT: ("The disk quota is used up", "Free some space, or choose another place."),
    errno.EFBIG: ("The file would be too large for this place", "Choose another place, or save fewer rows."),
    errno.EACCES: ("The folder can't be written", "Choose a folder that you may write to."),
    errno.EPERM: ("The folder can't be written", "Choose a folder that you may write to."),
    errno.EROFS: ("The disk can't be written", "It is read-only. Choose another place."),
    errno.ENOENT: ("The folder is gone", "It may have been moved or deleted. Choose another place."),
    errno.ENOTDIR: ("This is not a folder", "A part of the path is a file. Choose another place."),
    errno.EISDIR: ("A folder has this name", "Choose another file name."),
    errno.EEXIST: ("This name belongs to something that is not a file", "Choose another file name."),
    errno.ENAMETOOLONG: ("The file name is too long", "Choose a shorter name."),
    errno.EINVAL: ("The file name can't be used", "Choose another name."),
}


def save(
    export: Export,
    form: Format,
    path: Path,
    cancellation: Cancellation | None = None,
    *,
    opener: Opener | None = None,
) -> None:
    """Write the whole file or nothing; an existing file is replaced only by the complete new one.

    Raises ExportError, and Cancelled after `cancellation` was cancelled.
    """
    try:
        write_atomically(path, file_pieces(export, form, cancellation), opener=opener)
    except OSError as error:
        raise export_error(error, path) from error


def export_error(error: OSError, path: Path) -> ExportError:
    """Return the error for a file that could not be written, with a hint."""
    title, hint = _REASONS.get(error.errno or 0, ("The file can't be written", None))
    return ExportError(f"{path}: {error.strerror or error}", title=title, hint=hint)


def file_pieces(export: Export, form: Format, cancellation: Cancellation | None = None) -> Iterator[bytes]:
    """Return the content of a file in pieces.

    Raises ExportError, and Cancelled after `cancellation` was cancelled.
    """
    cancellation = cancellation or Cancellation()
    if form is Format.XLSX:
        yield from workbook_pieces(export, cancellation)
        return
    if form in (Format.CSV, Format.SEMICOLON_CSV):
        yield BYTE_ORDER_MARK.encode()
    for piece in chunks(export, form):
        if cancellation.is_cancelled:
            raise Cancelled(hint="No file was written.")
        yield piece.encode()
