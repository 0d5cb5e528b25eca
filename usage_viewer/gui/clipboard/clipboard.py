"""Renders rows in several flavours and puts them on the clipboard, for spreadsheets, chats and text files.

A worker renders all flavours beforehand. Rendering on request (a `QMimeData` that overrides `retrieveData`) would
run in the GUI thread: 100,000 rows as HTML would block the window for 0.2 s during another program's paste, and
the table could have changed meanwhile. The price is memory, which `LARGEST` limits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QMimeData
from PySide6.QtGui import QClipboard

from usage_viewer.app.export import (
    Export,
    Format,
    commas_for_tabs,
    is_like_formula,
    sized_chunks,
    text_cell_document,
)
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import Cancelled

LARGEST = 10_000_000
"""Bytes of TSV up to which all flavours are rendered: some 85,000 rows of 9 columns, and six times as much HTML.

Spreadsheets take minutes to read more HTML than this, but seconds to read TSV.
"""

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
    """Holds each flavour as UTF-8 by its MIME type; `note` tells the user if some flavours are left out."""

    flavours: Mapping[str, QByteArray]
    rows: int
    note: str = ""


def prepare(export: Export, cancellation: Cancellation | None = None, *, largest: int = LARGEST) -> RenderedCopy:
    """Render TSV, HTML and CSV; TSV alone above `largest` bytes of it. Takes seconds: run it in a worker.

    Raises Cancelled after `cancellation` was cancelled.
    """
    tsv = _rendered(export, Format.TSV, cancellation)
    flavours = {TEXT: tsv, TYPES[Format.TSV]: tsv}
    if tsv.size() > largest:
        return RenderedCopy(flavours, len(export.rows), "as plain text (too many for formatted copy)")
    flavours[TYPES[Format.HTML]] = _rendered(export, Format.HTML, cancellation)
    csv_pieces = commas_for_tabs(export, bytes(tsv.data()))
    flavours[TYPES[Format.CSV]] = (
        _rendered(export, Format.CSV, cancellation)
        if csv_pieces is None
        else _joined(csv_pieces, tsv.size() + len(export.rows), cancellation)
    )
    return RenderedCopy(flavours, len(export.rows))


def prepare_as(export: Export, form: Format, cancellation: Cancellation | None = None) -> RenderedCopy:
    """Render one format, as plain text and under its own type. Raises Cancelled if `cancellation` is cancelled."""
    text = _rendered(export, form, cancellation)
    return RenderedCopy({TEXT: text, TYPES[form]: text}, len(export.rows))


def prepare_cell(text: str) -> RenderedCopy:
    """Return a single value as plain text; one that looks like a formula also as a cell that states it is text."""
    flavours = {TEXT: QByteArray(text.encode(errors="replace"))}
    if is_like_formula(text):
        flavours[TYPES[Format.HTML]] = QByteArray(text_cell_document(text).encode())
    return RenderedCopy(flavours, 1)


def put(rendered: RenderedCopy, clipboard: QClipboard) -> None:
    """Put the flavours on the clipboard without copying them; call it in the GUI thread."""
    data = QMimeData()
    for kind, content in rendered.flavours.items():
        data.setData(kind, content)
    clipboard.setMimeData(data)


def _rendered(export: Export, form: Format, cancellation: Cancellation | None) -> QByteArray:
    size, pieces = sized_chunks(export, form)
    return _joined((piece.encode() for piece in pieces), size * 21 // 20, cancellation)


def _joined(pieces: Iterable[bytes], size: int, cancellation: Cancellation | None) -> QByteArray:
    # Appended in pieces to reserved memory: joining or moving 100 MB in one call would hold the GIL throughout.
    content = QByteArray()
    content.reserve(size)
    for piece in pieces:
        if cancellation is not None and cancellation.is_cancelled:
            raise Cancelled(hint="Copy cancelled; clipboard unchanged.")
        content.append(piece)
    return content
