"""Prints errors on the command line."""

from typing import TextIO

from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.key_masking import mask_keys


def write_error(error: UsageViewerError, err: TextIO) -> None:
    """Write the error's title, detail and hint to `err`; keys in the text are masked."""
    detail = f" ({visible(error.detail)})" if error.detail else ""
    err.write(mask_keys(f"usage-viewer: {error.title}{detail}\n{error.hint}\n"))
