"""Checks full and read-only disks: the error says what to do, and nothing is lost."""

import json
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import pytest

from usage_viewer.store import Store

if TYPE_CHECKING:
    from tests.trust.conftest import Program

JSON = ("--metrics", "input_tokens,num_model_requests", "--format", "json")
WEEK = ("table", "--from", "2026-10-20", "--to", "2026-10-27", "--per", "day", *JSON)
MONTHS = ("table", "--from", "2026-01-01", "--to", "2026-10-27", "--per", "day", *JSON)
ALONE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")


@cache
def has_namespaces() -> bool:
    """Return whether a process may mount a file system that only it sees."""
    try:
        done = subprocess.run([*ALONE, "mount -t tmpfs -o size=1m tmpfs /tmp"], capture_output=True, timeout=20)
    except OSError:
        return False
    return done.returncode == 0


@pytest.fixture
def disks_of_ones_own() -> None:
    if not has_namespaces():
        pytest.skip("this system lets no ordinary user mount a small disk of its own")


@pytest.mark.usefixtures("disks_of_ones_own")
def test_full_disk_while_usage_arrives(program: "Program") -> None:
    program.data.mkdir()
    small = f'mount -t tmpfs -o size=1600k tmpfs {program.data} && "$@"; echo $? $("$@" | head -c 1) >&2; exit 3'
    done = program(*MONTHS, within=[*ALONE, small, "sh"])
    assert "usage-viewer: The disk is full" in done.err
    assert "Free some space" in done.err
    assert "Incomplete: " in done.err
    assert "Traceback" not in done.err
    assert "3 [" in done.err, "the second start could not use what there was"
    for row in json.loads(done.out):
        assert row["input_tokens"] is None or row["input_tokens"] > 0


@pytest.mark.usefixtures("disks_of_ones_own")
@pytest.mark.parametrize("size", ["4k", "64k"])
def test_full_disk_at_the_start(program: "Program", size: str) -> None:
    program.data.mkdir()
    done = program(*WEEK, within=[*ALONE, f'mount -t tmpfs -o size={size} tmpfs {program.data} && "$@"', "sh"])
    assert done.status in (1, 3)
    assert "usage-viewer: The disk is full" in done.err
    assert "--data-dir" in done.err
    assert "Traceback" not in done.err


@pytest.mark.usefixtures("disks_of_ones_own")
@pytest.mark.parametrize("stored", [False, True])
def test_read_only_disk(program: "Program", stored: bool) -> None:
    program.data.mkdir()
    if stored:
        assert program(*WEEK).status == 0
    before = {path: path.read_bytes() for path in program.data.rglob("*") if path.is_file()}
    only_read = f'mount --bind {program.data} {program.data} && mount -o remount,bind,ro {program.data} && "$@"'
    done = program(*WEEK, within=[*ALONE, only_read, "sh"])
    assert (done.status, done.out) == (1, "")
    assert "usage-viewer: The data directory can't be written" in done.err
    assert "--data-dir" in done.err
    assert "Traceback" not in done.err
    assert before == {path: path.read_bytes() for path in program.data.rglob("*") if path.is_file()}
    alone = program(*WEEK, "--no-store", within=[*ALONE, only_read, "sh"])
    assert alone.status == 0


@pytest.mark.usefixtures("disks_of_ones_own")
def test_window_on_a_full_disk(program: "Program") -> None:
    program.data.mkdir()
    small = [*ALONE, f'mount -t tmpfs -o size=2500k tmpfs {program.data} && exec "$@"', "sh"]
    with program.window(within=small) as window:
        window.wait_for("shown", "Complete: 30 days")
        window.ask("look-at 300")
        message = window.wait_for("banner", "The disk is full")
        assert "Free some space" in message
        assert "Complete" not in window.wait_for("shown", " of 301 days loaded")
        window.close()


@pytest.mark.usefixtures("disks_of_ones_own")
def test_window_on_a_read_only_disk(program: "Program") -> None:
    assert program(*WEEK).status == 0
    before = {path: path.read_bytes() for path in program.data.rglob("*") if path.is_file()}
    only_read = (
        f'mount --bind {program.data} {program.data} && mount -o remount,bind,ro {program.data} && exec "$@"'
    )
    with program.window(within=[*ALONE, only_read, "sh"]) as window:
        assert "--data-dir" in window.wait_for("banner", "The data directory can't be written")
        window.close()
    assert before == {path: path.read_bytes() for path in program.data.rglob("*") if path.is_file()}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions don't stop root")
def test_directory_without_write_permission(program: "Program") -> None:
    program.home.chmod(0o500)
    try:
        done = program(*WEEK)
    finally:
        program.home.chmod(0o700)
    assert (done.status, done.out) == (1, "")
    assert "usage-viewer: The data directory can't be written" in done.err
    assert "Traceback" not in done.err


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Limits the size of files, which any user may do, in place of a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_fetch_continues_after_space_is_freed(program: "Program") -> None:
    assert program(*WEEK).status == 0
    room = program.place.database.stat().st_size + 200_000
    with files_of_at_most(room):
        full = program(*MONTHS)
    assert full.status == 3
    assert "usage-viewer: The disk is full" in full.err
    assert "Incomplete: " in full.err
    Store.open(program.place.database).close()
    known = {row["period_start"]: row["input_tokens"] for row in json.loads(full.out)}
    program.server.requests.clear()
    done = program(*MONTHS)
    assert done.status == 0
    assert program.server.requests
    every = {row["period_start"]: row["input_tokens"] for row in json.loads(done.out)}
    assert len(every) == 299
    assert all(every[day] == tokens for day, tokens in known.items() if tokens is not None)
    assert all(
        value in ("1d", "") for request in program.server.requests for value in request.query["bucket_width"]
    )
    fetched = sum(
        int(request.query["end_time"][0]) - int(request.query["start_time"][0])
        for request in program.server.requests
    )
    assert fetched <= (299 - 7) * 86400, "what was held was fetched again"
