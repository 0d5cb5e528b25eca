"""Checks that memory stays bounded whatever a server sends; measured on child processes."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.faults.conftest import QUESTION, FaultRig
from tests.faults.fault_cases import FAULTS, Fault
from tests.faults.usage_wire import DAY, KEY, OCTOBER_2, Page, Piece, StaysOpen, written
from tests.rigs.wire import Request
from usage_viewer.api.http.client import MAX_BODY
from usage_viewer.api.http.memory_budget import STEP, TOTAL
from usage_viewer.app.session.store_session import WORKERS
from usage_viewer.domain.zones import iso

MEGABYTE = 1_000_000
ENDLESS = "pages without an end whatever is asked for"
BOMBS = "gzip bombs whatever is asked for"
ALL_AT_ONCE = ("--from", iso(OCTOBER_2 - 31 * DAY * WORKERS)[:10])
"""The start of a range that gives each worker one window of the largest size."""

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system doesn't tell a child's peak memory")


def peak(rig: FaultRig, directory: Path, *more: str) -> tuple[int, int]:
    """Run `usage-viewer table`; return its exit status and its peak memory in bytes."""
    command = [sys.executable, "-m", "usage_viewer", *QUESTION, "--no-store", "--data-dir", str(directory), *more]
    command += ["--base-url", rig.server.base_url]
    environment = {**os.environ, "OPENAI_ADMIN_KEY": KEY, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return child.returncode, usage.ru_maxrss * unit


def fault(name: str) -> Fault:
    return next(one for one in FAULTS if one.name == name)


@pytest.fixture
def usual(rig: FaultRig, tmp_path: Path) -> int:
    """The peak memory of a run without faults, in bytes."""
    rig.server.listen()
    status, most = peak(rig, tmp_path)
    assert status == 0
    return most


@pytest.mark.parametrize("name", [ENDLESS, BOMBS, "a terabyte announced whatever is asked for"])
def test_too_large_answer_is_refused_while_it_arrives(rig: FaultRig, tmp_path: Path, usual: int, name: str) -> None:
    rig.misbehave(fault(name))
    status, most = peak(rig, tmp_path)
    assert status == 3
    assert most - usual < MAX_BODY + 30 * MEGABYTE


@pytest.mark.parametrize("name", [ENDLESS, BOMBS])
def test_memory_is_bounded_when_all_workers_get_too_large_answers(rig: FaultRig, tmp_path: Path, name: str) -> None:
    """Each whole window gets a too large answer, each half of it a normal one."""
    rig.server.listen()
    status, usual = peak(rig, tmp_path, *ALL_AT_ONCE)
    assert status == 0
    assert len(rig.server.usage_requests()) == 1 + 2 * WORKERS  # the first is for the oldest day
    rig.server.requests.clear()
    behave = fault(name).behave
    assert behave is not None

    def too_much_at_once(request: Request, page: Page) -> Iterable[Piece]:
        return behave(request, page) if request["limit"] == "31" else [written(page), StaysOpen()]

    rig.server.behave, rig.server.everywhere = too_much_at_once, True
    status, most = peak(rig, tmp_path, *ALL_AT_ONCE)
    assert status == 0
    assert len(rig.server.usage_requests()) == 1 + (1 + 2) * WORKERS
    # In addition to the budget: small answers, and the piece of each answer that was just read.
    assert most - usual < MAX_BODY + TOTAL + 2 * STEP * WORKERS + 30 * MEGABYTE


def test_page_of_50_megabytes_needs_less_than_200_megabytes(rig: FaultRig, tmp_path: Path, usual: int) -> None:
    rig.misbehave(fault("a page of 50 MB"))
    status, most = peak(rig, tmp_path)
    assert status == 0
    assert most - usual < 4 * 50 * MEGABYTE
