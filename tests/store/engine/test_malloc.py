"""Tests that freed memory is reused."""

import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from usage_viewer.store.engine.malloc import keep_freed_memory
if not keep_freed_memory():
    raise SystemExit("not supported")
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def use():
    for _ in range(3):
        np.ones(1 << 20, np.int64)
use()
before = faults()
use()
print(faults() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_large_arrays_reuse_freed_pages() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=False)
    if "not supported" in done.stderr:
        pytest.skip("another C library")
    assert int(done.stdout) < 100, done.stderr
