"""A command that begins with imported libraries behaves like one that an interpreter starts."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.rigs.command_line import Program
from tests.rigs.preloaded import AVAILABLE, preloaded
from usage_viewer.demo.server.server import DemoServer

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="forks on Linux only")

WEEK = ("table", "--from", "2026-10-20", "--to", "2026-10-27")
STARTED = {"PYTHON_STARTED_BY_AN_INTERPRETER": "1"}
"""A variable that makes the rig start an interpreter."""


@pytest.mark.parametrize(
    "arguments",
    [
        (*WEEK, "--per", "day", "--group-by", "model"),
        (*WEEK, "--format", "json"),
        (*WEEK, "--output", "missing/folder.csv", "--format", "csv"),
        ("table", "--from", "x"),
        ("table", "--help"),
        ("forget", "--yes"),
    ],
    ids=" ".join,
)
def test_prints_the_same_with_the_same_status(
    arguments: tuple[str, ...], server: DemoServer, tmp_path: Path
) -> None:
    started, forked = (Program(server, tmp_path / name) for name in ("started", "forked"))
    assert forked(*arguments) == started(*arguments, env=STARTED)


def test_has_the_arguments_environment_and_directory_of_the_request(child: Program, tmp_path: Path) -> None:
    key = {"OPENAI_ADMIN_KEY": "", "HOME": str(tmp_path / "nobody")}
    missing = child(*WEEK, "--no-store", env=key)
    assert missing.status == 3
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert child(*WEEK, "--output", "here.csv", "--format", "csv").status == 0
    finally:
        os.chdir(before)
    assert (tmp_path / "here.csv").is_file()
    assert child(*WEEK).status == 0  # nothing of the last command is left in the parent


def test_each_command_is_a_process_of_its_own(child: Program) -> None:
    first, second = (child("--verbose", *WEEK, "--no-store") for _ in range(2))
    assert first.out == second.out
    assert "completions: 200" in first.err
    assert "completions: 200" in second.err


def test_command_that_hangs_is_ended(child: Program, tmp_path: Path) -> None:
    pipe = tmp_path / "never-written.pem"
    os.mkfifo(pipe)
    with pytest.raises(subprocess.TimeoutExpired):
        preloaded().run([*child.options, *WEEK, "--ca-file", str(pipe)], child.environment(), 0.0)
    assert child(*WEEK).status == 0
