"""Renders tables as TSV, CSV, HTML, Markdown and JSON for the clipboard, files and the command line."""

from usage_viewer.app.export.export import (
    Export,
    Format,
    chunks,
    commas_for_tabs,
    estimated_size,
    render,
    sized_chunks,
)
from usage_viewer.app.export.provenance import Provenance, provenance_of
from usage_viewer.app.export.save import save

__all__ = [
    "Export",
    "Format",
    "Provenance",
    "chunks",
    "commas_for_tabs",
    "estimated_size",
    "provenance_of",
    "render",
    "save",
    "sized_chunks",
]
