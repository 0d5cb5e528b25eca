"""Memory stays bounded whatever a server sends: measured on whole child processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import QUESTION, Desk
from tests.faults.fault_cases import FAULTS, Fault
from tests.faults.usage_wire import KEY
from usage_viewer.api.client import MAX_BODY

MEGABYTE = 1_000_000

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system doesn't tell a child's peak memory")


def peak(desk: Desk, directory: Path) -> tuple[int, int]:
    """Exit status, and the most memory (bytes) that `usage-viewer table` held."""
    command = [sys.executable, "-m", "usage_viewer", *QUESTION, "--no-store", "--data-dir", str(directory)]
    command += ["--base-url", desk.server.base_url]
    environment = {**os.environ, "OPENAI_ADMIN_KEY": KEY, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return child.returncode, usage.ru_maxrss * unit


def fault(name: str) -> Fault:
    return next(one for one in FAULTS if one.name == name)


@pytest.fixture
def usual(desk: Desk, tmp_path: Path) -> int:
    """The peak of a run in which all is well."""
    desk.server.listen()
    status, most = peak(desk, tmp_path)
    assert status == 0
    return most


@pytest.mark.parametrize("name", ["gzip bomb", "a page without an end", "a terabyte announced"])
def test_what_is_too_large_is_refused_while_it_comes(desk: Desk, tmp_path: Path, usual: int, name: str) -> None:
    desk.misbehave(fault(name))
    status, most = peak(desk, tmp_path)
    assert status == 3
    assert most - usual < MAX_BODY + 30 * MEGABYTE


def test_a_page_of_50_megabytes_takes_little_more_than_itself(desk: Desk, tmp_path: Path, usual: int) -> None:
    desk.misbehave(fault("a page of 50 MB"))
    status, most = peak(desk, tmp_path)
    assert status == 0
    assert most - usual < 4 * 50 * MEGABYTE
