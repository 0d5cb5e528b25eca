"""What every test of the window needs."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication


@pytest.fixture(scope="session", autouse=True)
def empty_clipboard_at_the_end(qapp: QApplication) -> Iterator[None]:
    """Without this, the offscreen platform crashes when the interpreter ends with something on the clipboard."""
    yield
    qapp.clipboard().clear()
