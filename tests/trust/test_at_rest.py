"""Checks that only the owner can read the files, after every start, whatever the umask or other programs do."""

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from usage_viewer.demo.server.faults import Fault

if TYPE_CHECKING:
    from tests.trust.conftest import Program

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")

WEEK = ("table", "--from", "2026-10-20", "--to", "2026-10-27")
LAX = ("sh", "-c", 'umask 0; exec "$@"', "sh")


def open_to_others(data: Path) -> list[str]:
    """Return the files and directories that others may read, write or enter."""
    return [
        f"{path.name} {path.lstat().st_mode & 0o777:o}"
        for path in (data, *data.rglob("*"))
        if path.lstat().st_mode & 0o077
    ]


def test_files_are_private_with_any_umask(program: "Program") -> None:
    done = program(*WEEK, within=LAX)
    assert (done.status, done.err) == (0, program.server_note)
    assert program.place.database.exists()
    assert open_to_others(program.data) == []


def test_files_of_the_window_are_private(program: "Program") -> None:
    with program.window(within=LAX) as window:
        window.wait_for("shown")
        window.close()
    assert program.place.settings.exists()
    assert program.place.database.exists()
    assert open_to_others(program.data) == []


def test_next_start_restores_private_permissions(program: "Program") -> None:
    program(*WEEK)
    program.place.settings.write_text("{}")
    (program.place.directory / "usage.damaged-20261101-120000.duckdb").write_text("damaged")
    for path in (program.data, *program.data.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    assert open_to_others(program.data)
    assert program(*WEEK).status == 0
    assert open_to_others(program.data) == []


def test_failing_command_restores_private_permissions(program: "Program") -> None:
    program(*WEEK)
    program.place.database.write_bytes(b"damaged" * 1000)
    for path in (program.data, *program.data.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    assert program(*WEEK).status == 1
    assert open_to_others(program.data) == []


def test_files_of_a_killed_program_are_private(program: "Program") -> None:
    """A killed program leaves a log behind."""
    program.server.faults = lambda request: Fault(stall=60) if request.number > 1 else None
    command = [*LAX, *program.command("table", "--from", "2026-01-01", "--to", "2026-10-27", "--per", "day")]
    with subprocess.Popen(command, env=program.environment(), stderr=subprocess.PIPE) as process:
        log = program.place.database.with_name("usage.duckdb.wal")
        until = time.monotonic() + 60
        while not (log.exists() and log.stat().st_size > 50_000):
            assert time.monotonic() < until
            time.sleep(0.02)
        process.kill()
    assert log.exists()
    assert open_to_others(program.data) == []
