"""One clipboard entry in several flavours: pastes right into a spreadsheet, a chat and a text file alike.

The flavours are rendered beforehand, in a worker. Rendering one only when it is asked for (a `QMimeData` that
overrides `retrieveData`) was decided against: the asking happens in the GUI thread, where 100,000 rows as HTML
would stall the window for 0.2 s in the middle of somebody else's paste, and the table could have changed by then.
What a flavour costs instead is memory, which `LARGEST` bounds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QMimeData
from PySide6.QtGui import QClipboard

from usage_viewer.app.export import Export, Format, commas_for_tabs, sized_chunks
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import Cancelled

LARGEST = 10_000_000
"""Bytes of TSV up to which all flavours are made: some 85,000 rows of 9 columns, and six times as much HTML. Beyond
that, spreadsheets take minutes to read HTML, and read TSV in seconds."""

TEXT = "text/plain"
TYPES = {
    Format.TSV: "text/tab-separated-values",
    Format.HTML: "text/html",
    Format.CSV: "text/csv",
    Format.MARKDOWN: "text/markdown",
    Format.JSON: "application/json",
}


@dataclass(frozen=True)
class RenderedCopy:
    """Each flavour as UTF-8, by its MIME type; `note` is for the user where not all flavours are there."""

    flavours: Mapping[str, QByteArray]
    rows: int
    note: str = ""


def prepare(export: Export, cancellation: Cancellation | None = None, *, largest: int = LARGEST) -> RenderedCopy:
    """TSV, HTML and CSV; TSV alone above `largest` bytes of it. For a worker: takes up to some seconds.

    Raises Cancelled once `cancellation` is cancelled.
    """
    tsv = _rendered(export, Format.TSV, cancellation)
    flavours = {TEXT: tsv, TYPES[Format.TSV]: tsv}
    if tsv.size() > largest:
        return RenderedCopy(flavours, len(export.rows), "So many rows are copied as plain text (TSV) only.")
    flavours[TYPES[Format.HTML]] = _rendered(export, Format.HTML, cancellation)
    written = commas_for_tabs(export, bytes(tsv.data()))
    flavours[TYPES[Format.CSV]] = (
        _rendered(export, Format.CSV, cancellation)
        if written is None
        else _gathered(written, tsv.size() + len(export.rows), cancellation)
    )
    return RenderedCopy(flavours, len(export.rows))


def prepare_as(export: Export, form: Format, cancellation: Cancellation | None = None) -> RenderedCopy:
    """One format alone, as plain text and under its own type. Raises Cancelled once `cancellation` is cancelled."""
    text = _rendered(export, form, cancellation)
    return RenderedCopy({TEXT: text, TYPES[form]: text}, len(export.rows))


def put(rendered: RenderedCopy, clipboard: QClipboard) -> None:
    """For the GUI thread: takes no time, as the flavours are handed over, not copied."""
    data = QMimeData()
    for kind, content in rendered.flavours.items():
        data.setData(kind, content)
    clipboard.setMimeData(data)


def _rendered(export: Export, form: Format, cancellation: Cancellation | None) -> QByteArray:
    size, pieces = sized_chunks(export, form)
    return _gathered((piece.encode() for piece in pieces), size * 21 // 20, cancellation)


def _gathered(pieces: Iterable[bytes], size: int, cancellation: Cancellation | None) -> QByteArray:
    # Appended piece by piece, with room to spare: joining or moving a hundred megabytes at once would hold the
    # interpreter's lock all the while.
    content = QByteArray()
    content.reserve(size)
    for piece in pieces:
        if cancellation is not None and cancellation.is_cancelled:
            raise Cancelled(hint="The clipboard is as it was.")
        content.append(piece)
    return content
