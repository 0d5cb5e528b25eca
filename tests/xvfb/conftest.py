"""A display of one's own: a real X server that draws into memory."""

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

_PROGRAMS = ("Xvfb", "xclip")


@pytest.fixture(scope="session")
def xvfb_display() -> Iterator[str]:
    """The name of a free display (`DISPLAY`) with a server for these tests alone, which ends with them."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    reading, writing = os.pipe()
    with (
        os.fdopen(reading, encoding="ascii") as number,
        subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1400x900x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[writing],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server,
    ):
        os.close(writing)
        try:
            # The server writes its number once it takes connections; if it dies, the pipe ends.
            line = number.readline().strip()
            assert line, f"Xvfb ended with {server.wait(5)}"
            yield f":{line}"
        finally:
            server.terminate()
