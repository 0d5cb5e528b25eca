"""Starts a real X server that draws into memory. Its display number is free, whatever else runs."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def x_server(size: str = "1400x900x24", *, needs: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the name of the display (as in `DISPLAY`); the server ends with the block.

    `size` is width × height × bits of a pixel. Skips the test without Xvfb and the programs in `needs`.
    """
    missing = [program for program in ("Xvfb", *needs) if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    reading, writing = os.pipe()
    with (
        os.fdopen(reading, encoding="ascii") as number,
        subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-noreset"],
            pass_fds=[writing],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server,
    ):
        os.close(writing)
        try:
            # The server writes its number as soon as it accepts connections; if it ends, the pipe ends.
            line = number.readline().strip()
            assert line, f"Xvfb ended with {server.wait(5)}"
            yield f":{line}"
        finally:
            server.terminate()
