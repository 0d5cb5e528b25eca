"""Kills the program (`kill -9`) while it fetches and writes: complete buckets stay, no bucket is partial."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.trust.fetching import VIEWS, fetch_all, open_session
from tests.trust.known_usage import JUST_AFTER, check, organization
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.coverage import Refresh
from usage_viewer.store import Store

ROOT: Final = Path(__file__).parents[2]
LONGEST: Final = 3.0
"""The longest work before the kill, in seconds."""


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(organization(), latency=0.005, clock=lambda: JUST_AFTER) as running:
        yield running


def fetch_and_kill(server: DemoServer, database: Path, seconds: float | None) -> list[str]:
    """Run the program and kill it; return the lines that it printed.

    `seconds`: the time between opening the database and the kill; None: the kill follows when all is fetched.
    """
    command = [sys.executable, "-m", "tests.trust.fetching", server.base_url, server.key, str(database)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        try:
            begun = program.stdout.readline()
            assert begun == "open\n", program.stderr.read()
            output = ""
            if seconds is None:
                while line := program.stdout.readline():
                    output += line
                    if line == "complete\n":
                        break
            else:
                time.sleep(seconds)
        finally:
            program.kill()
        output, err = output + program.stdout.read(), program.stderr.read()
    assert err == ""
    return output.splitlines()


def reported(lines: list[str]) -> dict[tuple[str, str], int]:
    """Return how many buckets of each dataset and width the program reported as stored; ignore a cut-off line."""
    counts: dict[tuple[str, str], int] = {}
    for line in lines:
        words = line.split()
        if len(words) == 3:
            counts[words[0], words[1]] = int(words[2])
    return counts


def check_all(database: Path) -> dict[tuple[str, str], int]:
    """Return how many buckets of each dataset and width are stored, after checking each."""
    store = Store.open(database)
    try:
        session = StoreSession(store, clock=lambda: JUST_AFTER)
        return {
            (dataset, width.value): check(session, store, dataset, width, days) for dataset, width, _, days in VIEWS
        }
    finally:
        store.close()


def kill_again_and_again(server: DemoServer, folder: Path, times: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    number, complete, begun = 0, 0, 0
    database = folder / "0" / "usage.duckdb"
    fetch_and_kill(server, database, None)  # the synthetic organization is computed in the first run
    took = time.monotonic()
    fetch_and_kill(server, folder / "first" / "usage.duckdb", None)
    took = time.monotonic() - took
    for turn in range(times):
        if chance.random() < 0.5:
            number += 1
            database = folder / str(number) / "usage.duckdb"
        lines = fetch_and_kill(server, database, chance.uniform(0, min(0.8 * took, LONGEST)))
        stored = check_all(database)
        for what, count in reported(lines).items():
            assert stored[what] >= count, f"seed {seed}, turn {turn}: {what} {stored[what]} of {count}"
        complete += "complete" in lines
        begun += bool(lines)
    print(f"{begun} had stored something, {complete} everything")
    assert begun > times // 4, "few programs were killed at their work"
    _finish(server, database)


def _finish(server: DemoServer, database: Path) -> None:
    """Check that a later run fetches the missing buckets."""
    session = open_session(server.base_url, server.key, database)
    fetch_all(session, refresh=Refresh.NEEDED, tell=False)
    session.close()
    stored = check_all(database)
    assert stored == {("completions", "1d"): 90, ("completions", "1h"): 7 * 24, ("costs", "1d"): 90}


def test_killed_10_times(server: DemoServer, tmp_path: Path) -> None:
    kill_again_and_again(server, tmp_path, 10)


@pytest.mark.fuzz
def test_killed_200_times(server: DemoServer, tmp_path: Path) -> None:
    kill_again_and_again(server, tmp_path, 200)
