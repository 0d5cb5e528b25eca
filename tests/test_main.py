"""`main`: arguments, output and exit status, in this process."""

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.rigs.command_line import server_note
from tests.rigs.load import slowdown
from usage_viewer import __version__
from usage_viewer.__main__ import DEMO_SERVER, Demo, demo_command, main, open_demo
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.network_errors import DemoFailed

TODAY = datetime.now(UTC).date()
"""Read once, so that all dates belong together also in a run that passes midnight."""

WEEK = ("table", "--from", str(TODAY - timedelta(days=17)), "--to", str(TODAY - timedelta(days=10)))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    with DemoServer() as running:
        monkeypatch.setenv("OPENAI_ADMIN_KEY", running.key)
        yield running


def test_table_from_the_given_server(server: DemoServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    where = ("--base-url", server.base_url, "--data-dir", str(tmp_path))
    assert main([*WEEK, *where, "--format", "json", "--metrics", "input_tokens"]) == 0
    printed = capfd.readouterr()
    (row,) = json.loads(printed.out)
    assert row["input_tokens"] > 0
    assert printed.err == server_note(server)
    assert ProfilePaths(tmp_path).database.exists()


def test_options_before_the_command(server: DemoServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    where = ("--base-url", server.base_url, "--data-dir", str(tmp_path), "--profile", "acme")
    assert main([*where, *WEEK]) == 0
    assert capfd.readouterr().out.startswith("Requests\t")
    assert ProfilePaths(tmp_path, "acme").database.exists()
    assert not ProfilePaths(tmp_path).database.exists()


def test_data_directory_is_relative_to_the_current_directory(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*WEEK, "--base-url", server.base_url, "--data-dir", "here"]) == 0
    assert ProfilePaths(tmp_path / "here").database.exists()
    capfd.readouterr()


def test_no_store_leaves_no_file(server: DemoServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    where = ("--base-url", server.base_url, "--data-dir", str(tmp_path / "data"))
    assert main([*WEEK, *where, "--no-store"]) == 0
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == server_note(server)


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (("--colour",), "The command is invalid (unrecognized arguments: --colour)"),
        (("chart",), "The command is invalid"),
        (("table",), "The command is invalid (the following arguments are required: --from, --to)"),
        (("--profile", "../other"), "This profile name can't be used (../other)"),
        ((*WEEK, "--profile", "a/b"), "This profile name can't be used (a/b)"),
        (("--base-url", "http://example.org"), ""),
        ((*WEEK, "--base-url", "nonsense"), ""),
        ((*WEEK, "--sort", "-money"), "The table can only be sorted by a column that it shows (money)"),
    ],
)
def test_invalid_arguments_exit_with_2(
    arguments: tuple[str, ...], title: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data-dir", str(tmp_path / "data"), *arguments]) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"usage-viewer: {title}")
    assert printed.err.count("\n") >= 2
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "printed_start"),
    [
        (("--version",), f"Usage Viewer {__version__}\n"),
        (("--help",), "usage: usage-viewer "),
        (("table", "--help"), "usage: usage-viewer table "),
    ],
)
def test_version_and_help(
    arguments: tuple[str, ...], printed_start: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert capfd.readouterr().out.startswith(printed_start)


def test_demo_runs_on_this_computer_with_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-the-real-one-0000000000000")
    demo = open_demo()
    try:
        assert demo.profile.base_url.startswith("http://127.0.0.1:")
        key = demo.profile.keystore.load()
        assert key is not None
        assert "the-real-one" not in key.reveal()
        demo.profile.check_key(key)
        assert demo.profile.database is None
    finally:
        demo.close()


def test_table_of_the_demo_has_the_true_costs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "truth.jsonl"
    view = ("--dataset", "costs", "--group-by", "line_item,project_id,user_id", "--metrics", "amount,quantity")
    assert main(["--demo", "--truth", str(path), *WEEK, *view, "--format", "json"]) == 0
    rows = json.loads(capfd.readouterr().out, parse_float=Decimal)
    amounts: dict[tuple[str | None, ...], Decimal] = defaultdict(Decimal)
    for line in path.read_text(encoding="utf-8").splitlines():
        part = json.loads(line)
        if WEEK[2] <= part["day"] < WEEK[4] and part["fact"] != "free":
            amounts[part["line_item"], part["project_id"], part["user_id"]] += Decimal(part["amount"])
    found = {(row["line_item"], row["project_id"], row["user_id"]): Decimal(row["amount"]) for row in rows}
    assert len(found) > 500
    assert found == amounts


def test_truth_needs_the_demo(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--truth", "truth.jsonl", *WEEK]) == 2
    assert capfd.readouterr().err.startswith("usage-viewer: --truth needs --demo")


def test_demo_that_fails_to_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-such-program"))
    assert main(["--demo", *WEEK]) == 1
    assert capfd.readouterr().err.startswith("usage-viewer: The demo could not be started")


def test_demo_that_ends_is_reported_without_retries() -> None:
    demo = open_demo()
    try:
        key = demo.profile.keystore.load()
        assert key is not None
        demo.server.kill()
        begun = time.monotonic()
        with pytest.raises(DemoFailed, match="demo's server has ended"):
            demo.profile.check_key(key)
        assert time.monotonic() - begun < 5 * slowdown()
    finally:
        demo.close()


def test_table_of_a_demo_that_ended_is_incomplete(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def open_ended_demo(truth: Path | None) -> Demo:
        demo = open_demo(truth)
        demo.server.kill()
        return demo

    monkeypatch.setattr("usage_viewer.__main__.open_demo", open_ended_demo)
    begun = time.monotonic()
    assert main(["--demo", *WEEK]) == 3
    assert time.monotonic() - begun < 10 * slowdown()
    assert "usage-viewer: The demo's server has ended (its process" in capfd.readouterr().err


def test_frozen_program_runs_the_demo_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert demo_command() == [sys.executable, "-m", "usage_viewer", DEMO_SERVER]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert demo_command() == [sys.executable, DEMO_SERVER]


def test_command_of_the_demo_is_not_listed(capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["table", "--help"]):
        with pytest.raises(SystemExit):
            main(arguments)
    assert main(["no-such-command"]) == 2
    output = capfd.readouterr()
    assert DEMO_SERVER not in output.out + output.err


def test_table_imports_no_qt(server: DemoServer, tmp_path: Path) -> None:
    code = (
        "import sys; from usage_viewer.__main__ import main; status = main(sys.argv[1:]); "
        "sys.exit(f'imported: {sys.modules[\"PySide6\"]}' if 'PySide6' in sys.modules else status)"
    )
    where = ("--base-url", server.base_url, "--data-dir", str(tmp_path))
    ended = subprocess.run(
        [sys.executable, "-c", code, *WEEK, *where], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, server_note(server))
