"""An error as the command line tells it."""

from typing import TextIO

from usage_viewer.domain.admin_key import mask_keys
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import UsageViewerError


def write_error(error: UsageViewerError, err: TextIO) -> None:
    """Title, what was said, hint; a key that was typed where none belongs is masked."""
    detail = f" ({visible(error.detail)})" if error.detail else ""
    err.write(mask_keys(f"usage-viewer: {error.title}{detail}\n{error.hint}\n"))
