"""Renders tables as workbooks, CSV, TSV, HTML, Markdown and JSON for the clipboard, files and the command line."""

from usage_viewer.app.export.content import TEXT_FORMATS, Export, Format
from usage_viewer.app.export.export import (
    chunks,
    commas_for_tabs,
    estimated_size,
    render,
    sized_chunks,
)
from usage_viewer.app.export.formats import bare_text
from usage_viewer.app.export.html_document import text_cell_document
from usage_viewer.app.export.provenance import Provenance, provenance_of, provenance_of_result
from usage_viewer.app.export.save import file_pieces, save
from usage_viewer.app.export.spreadsheet_safety import is_like_formula
from usage_viewer.app.export.totals import Totals, totals_of

__all__ = [
    "TEXT_FORMATS",
    "Export",
    "Format",
    "Provenance",
    "Totals",
    "bare_text",
    "chunks",
    "commas_for_tabs",
    "estimated_size",
    "file_pieces",
    "is_like_formula",
    "provenance_of",
    "provenance_of_result",
    "render",
    "save",
    "sized_chunks",
    "text_cell_document",
    "totals_of",
]
