"""All threads share one arena, and free memory goes back to the system."""

import json
import subprocess
import sys

import pytest

ROUND = """
import json, sys, threading
from pathlib import Path
from usage_viewer.app.process_memory import release_free_memory, use_one_arena

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

if sys.argv[1] == "one" and not use_one_arena():
    raise SystemExit("not supported")
import numpy as np
from usage_viewer.store.engine.malloc import keep_freed_memory
keep_freed_memory()
before = resident()
barrier = threading.Barrier(8)

def work():
    blocks = [np.ones(1 << 17, np.int64) for _ in range(20)]
    barrier.wait()
    del blocks
    barrier.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
kept = resident() - before
release_free_memory()
print(json.dumps([kept, resident() - before]))
"""


def _megabytes(arenas: str) -> tuple[float, float]:
    """Return the memory that eight threads left behind, before and after it was released."""
    done = subprocess.run([sys.executable, "-c", ROUND, arenas], capture_output=True, text=True, check=False)
    if "not supported" in done.stderr:
        pytest.skip("another C library")
    kept, left = json.loads(done.stdout)
    return kept, left


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_threads_with_one_arena_leave_nothing_behind() -> None:
    _, left = _megabytes("one")
    assert left < 10
    _, left_by_arenas = _megabytes("many")
    assert left_by_arenas > left + 20  # the reason for one arena: the C library keeps the end of each
