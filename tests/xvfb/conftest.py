"""A display for the tests of real windows and of the real clipboard."""

from collections.abc import Iterator

import pytest

from tests.rigs.display import x_server


@pytest.fixture(scope="session")
def xvfb_display() -> Iterator[str]:
    """The name of a display (as in `DISPLAY`) with an X server for these tests alone."""
    with x_server(needs=("xclip",)) as name:
        yield name
