"""Tables as text: TSV, CSV, HTML, Markdown and JSON, for the clipboard, for files and for the command line."""

from usage_viewer.app.export.provenance import Provenance, provenance_of
from usage_viewer.app.export.rendering import Export, Format, chunks, estimated_size, render
from usage_viewer.app.export.saving import save

__all__ = ["Export", "Format", "Provenance", "chunks", "estimated_size", "provenance_of", "render", "save"]
