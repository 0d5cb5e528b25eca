"""Measures the start, from the new process to the painted window with stored data, against a bare Qt window."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from data import FOLDER, HeldBuckets, million
from lines import Line

from usage_viewer.app.atomic_write import write_atomically
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings.settings import ProfileSettings, Settings, save
from usage_viewer.app.settings.startup_table import startup_table_path
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.view import ViewState

ROUNDS = 9
FIRST = (
    "Painted is the table as it was when the window was closed, from a file of some kB that holds only while "
    "database, settings and range are the same; all else is loaded after. Over the bare window are left some 17 "
    "ms of modules of the program and 10 ms of texts. Tried: asking the store before the first paint (860 ms: the "
    "rows need numpy, the engine, its file and all parts of the window), numbers in place of Qt's names (20 ms "
    "less), sockets and icon after the paint (10 ms less)."
)
WHOLE = (
    "A bare window, numpy and DuckDB are twice a bare window; opening and checking the file, the first answer and "
    "the window's own parts are 1.3 times one more. Tried: no import function of PySide's, no collection of "
    "reference cycles, the chart after the table, late imports of copies, comparison, spend and popups (main "
    "thread 5.8 to 3.9 times)."
)
CHILD = Path(__file__).absolute().parent / "started.py"


def measure() -> Iterator[Line]:
    held = million()
    left = _left(held)
    look = startup_table_path(left).read_bytes()
    taken: dict[str, list[float]] = {"first": [], "whole": [], "bare": []}
    for number in range(ROUNDS + 1):
        for name, values in taken.items():
            milliseconds = _run(name, left, look)
            if number:
                values.append(milliseconds)
    first, whole, bare = (statistics.median(values) for values in taken.values())
    peer = "bare QMainWindow with QTableView"
    yield Line("start to painted, 1M held", first, "ms", peer, bare, "≤ 1.3 ×", 1.3 * bare, note=FIRST)
    yield Line("start to the table that works, 1M held", whole, "ms", peer, bare, "≤ 3 ×", 3 * bare, note=WHOLE)


def _left(held: HeldBuckets) -> ProfilePaths:
    """Make the data directory of a window that has shown the last 30 stored days."""
    place = ProfilePaths(FOLDER / "start")
    shutil.rmtree(place.data_dir, ignore_errors=True)
    place.directory.mkdir(parents=True)
    shutil.copy(held.place.database, place.database)
    end = held.range.end
    assert end is not None
    view = ViewState(range=DateRange(None, end - timedelta(days=30), end))
    save(place.settings, Settings(profiles={"default": ProfileSettings(view=view)}))
    _started("close", place)
    assert startup_table_path(place).is_file(), "the window left nothing to begin with"
    return place


def _run(name: str, left: ProfilePaths, look: bytes) -> float:
    """Start the program with or without a saved table; without one, it paints when the store has answered."""
    startup_table_path(left).unlink(missing_ok=True)
    if name == "first":
        write_atomically(startup_table_path(left), [look], mode=0o600)
    return _started(name, left)


def _started(name: str, place: ProfilePaths) -> float:
    """Return the seconds until the child has painted; all processes share the clock."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENAI_")}
    environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent"
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(CHILD), name, str(place.data_dir)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=environment,
    )
    return (float(done.stdout) - begun) * 1000 if done.stdout else 0.0
