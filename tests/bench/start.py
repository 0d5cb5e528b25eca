"""Start: from the start of the process to the painted window with what is held, beside a bare Qt window."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from data import Held, million
from lines import Line

ROUNDS = 7
IMPORTS = (
    "The bare window imports Qt alone. Beyond it stand numpy (140 ms), the database engine (120 to 140 ms, in "
    "a worker), opening the file (100 ms) and the first query; they overlap with the first paint of the empty "
    "window, but the rows need them all. Tried: network and keyring are imported after the first paint."
)
CHILD = Path(__file__).absolute().parent / "started.py"


def measure() -> Iterator[Line]:
    held = million()
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    for number in range(ROUNDS + 1):
        for name, values in taken.items():
            milliseconds = _started(name, held)
            if number:
                values.append(milliseconds)
    ours, bare = (statistics.median(values) for values in taken.values())
    yield Line(
        "start to painted, 1M held",
        ours,
        "ms",
        "bare QMainWindow with QTableView",
        bare,
        "≤ 1.3 ×",
        1.3 * bare,
        note=IMPORTS,
    )


def _started(name: str, held: Held) -> float:
    """The child says when it had painted; the clock is the same in all processes."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(CHILD), name, str(held.folder)], capture_output=True, text=True, check=True, timeout=60
    )
    return (float(done.stdout) - begun) * 1000
