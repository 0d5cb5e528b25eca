"""Prints errors on the command line, and guards standard error."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, TextIO

from usage_viewer.domain.display_text import visible, visible_lines
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.key_masking import mask_keys

CLEAR_LINE: Final = "\r\x1b[K"
"""Goes back to the start of a terminal's line and clears the line."""


def write_error(error: UsageViewerError, err: TextIO) -> None:
    """Write the error's title, detail and hint to `err`, with keys masked and control characters escaped."""
    detail = f" ({visible(error.detail)})" if error.detail else ""
    err.write(mask_keys(f"usage-viewer: {visible(error.title)}{detail}\n{visible_lines(error.hint)}\n"))


class GuardedOutput:
    """Wraps standard error: masks keys and escapes what a terminal would act on; all else is that of the stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write `text` with keys masked and control characters escaped; return the length of `text`.

        A stream that can't be written, such as a closed pipe or a full disk, changes nothing else.
        """
        clear = CLEAR_LINE if text.startswith(CLEAR_LINE) else ""
        with suppress(OSError):
            self._stream.write(clear + visible_lines(mask_keys(text.removeprefix(clear))))
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, if the stream can be written."""
        with suppress(OSError):
            self._stream.flush()

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts with `write`."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
