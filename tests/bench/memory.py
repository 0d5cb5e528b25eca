"""Measures the memory of a window after a fetch and with ten million rows, against DuckDB on the same file."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from data import FOLDER, LAST, ten_million
from lines import Line

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.demo.server.child import start_demo

CHILD = Path(__file__).absolute().parent / "resident.py"
PEER = "DuckDB alone, the same file"
AT_REST, WITH_TEN_MILLION, OVER_REST = 350.0, 600.0, 1.3
ARENAS = (
    "Tried: one arena of the C library for all threads (643 to 387 MB at rest, 860 to 582 at the peak), free "
    "memory given back after a fetch and its verification (to 349 to 368 MB), a limit of 64 MB for the engine at "
    "rest (18 MB less), a collection of reference cycles (nothing). Left are code and libraries (150 MB), arrays "
    "and figures for the next view (100) and the engine's cache (50); at the peak, the pages of twelve requests "
    "and their transaction."
)


def measure() -> Iterator[Line]:
    folder = FOLDER / "resident"
    shutil.rmtree(folder, ignore_errors=True)
    with start_demo(scale="large", anchor=LAST) as server:
        window = _child("window", str(folder), server.base_url, server.key)
    engine = _child("engine", str(ProfilePaths(folder).database))
    rest, peak = window["rest"], window["peak"]
    name = "memory after a year by hour was fetched"
    yield Line(f"{name}, at rest", rest, "MB", PEER, engine["rest"], "≤ 350 MB", AT_REST, note=ARENAS)
    goal = OVER_REST * AT_REST
    yield Line(f"{name}, peak", peak, "MB", PEER, engine["peak"], "≤ 1.3 × 350 MB", goal, note=ARENAS)
    held = ten_million()
    window, engine = _child("window", str(held.folder)), _child("engine", str(held.place.database))
    yield Line(
        "memory with 10M rows, by day", window["rest"], "MB", PEER, engine["rest"], "≤ 600 MB", WITH_TEN_MILLION
    )


def _child(*words: str) -> dict[str, float]:
    """Return the figures of a process in MB."""
    done = subprocess.run(
        [sys.executable, str(CHILD), *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=230,
        env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"},
    )
    return {name: value / 1e6 for name, value in json.loads(done.stdout).items()}
