"""`usage-viewer table` as a child process: the key, the database, pipes, signals, logs."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.load import slowdown
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.demo.server.faults import Fault
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.store import Store

TODAY = datetime.now(UTC).date()
"""Read once, so that all dates belong together also in a run that passes midnight."""

LAST_MONTH, MIDDLE, LAST_WEEK = (str(TODAY - timedelta(days=days)) for days in (35, 20, 7))
DAYS = ("table", "--from", LAST_MONTH, "--to", LAST_WEEK)
MANY = (*DAYS, "--per", "day", "--group-by", "project_id,user_id,api_key_id,model,batch", "--metrics", "all")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc, or writes to /dev/full")


def start(child: Any, *arguments: str, stdout: int = subprocess.PIPE) -> "subprocess.Popen[bytes]":
    # If a shell runs the tests in the background, they and their child processes ignore Ctrl+C; undo that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            child.command(*arguments),
            env=child.environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
    finally:
        signal.signal(signal.SIGINT, before)


class TestKey:
    def test_key_from_the_environment_appears_nowhere(self, child: Any, server: DemoServer) -> None:
        printed = child(*DAYS, "--verbose", "--format", "json")
        assert printed.status == 0
        assert printed.rows
        assert len(server.requests) == 1
        assert "GET /organization/usage/completions: 200" in printed.err
        secret = server.key.removeprefix("sk-admin-")
        for text in (printed.out, printed.err):
            assert secret not in text
            assert "earer" not in text
        kept = [path for path in child.home.rglob("*") if path.is_file()]
        assert kept
        assert not any(secret.encode() in path.read_bytes() for path in kept)

    def test_logs_nothing_without_verbose(self, child: Any) -> None:
        assert child(*DAYS).err == child.server_note

    def test_missing_key_is_reported(self, child: Any) -> None:
        printed = child(*DAYS, env={"OPENAI_ADMIN_KEY": ""})
        assert printed.status == 3
        assert "No admin key\nThis system has no keyring" in printed.err
        assert "Set OPENAI_ADMIN_KEY, or start usage-viewer and add an admin key there." in printed.err
        assert "Incomplete: 0 of 28 days loaded. Missing:" in printed.err

    @pytest.mark.parametrize("text", ["sk-admin-two words-4711", "schlüssel-4711"])
    def test_invalid_key_is_not_quoted(self, child: Any, text: str) -> None:
        printed = child(*DAYS, env={"OPENAI_ADMIN_KEY": text})
        assert printed.status == 3
        assert "OPENAI_ADMIN_KEY" in printed.err
        assert "4711" not in printed.err

    def test_refused_key_is_not_quoted(self, child: Any) -> None:
        printed = child(*DAYS, "--verbose", env={"OPENAI_ADMIN_KEY": "sk-admin-of-somebody-else-Zq7mW2xV9t"})
        assert printed.status == 3
        assert "usage-viewer: The admin key was refused" in printed.err
        assert "somebody" not in printed.err
        assert "W2xV9t" not in printed.err  # the last four characters may appear

    def test_key_in_the_arguments_is_masked(self, child: Any) -> None:
        for words in (["--key", "sk-admin-typed-into-the-command-line"], ["--profile=sk-admin-typed-as-profile!"]):
            printed = child(*DAYS, *words)
            assert printed.status == 2
            assert "typed" not in printed.err

    @pytest.mark.secret_service
    def test_key_from_the_keyring(self, child: Any, server: DemoServer, secret_service: Any) -> None:
        save = (
            "import sys; from usage_viewer.keystore import KeyScope, open_keystore; "
            "from usage_viewer.domain.admin_key import AdminKey; "
            "scope = KeyScope.of('acme', sys.argv[1], sys.argv[2]); "
            "open_keystore(scope).save(AdminKey.parse(sys.stdin.read()))"
        )
        scope = (server.base_url, str(child.home / "data"))
        environment = {**secret_service.environment}
        environment.pop("OPENAI_ADMIN_KEY", None)
        subprocess.run([sys.executable, "-c", save, *scope], input=server.key.encode(), env=environment, check=True)
        command = child.command(*DAYS, "--profile", "acme", "--format", "json")
        ended = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
        assert (ended.returncode, ended.stderr.decode()) == (0, child.server_note)
        assert json.loads(ended.stdout)
        other = subprocess.run(
            child.command(*DAYS, "--profile", "other"),
            env=environment,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert other.returncode == 3
        assert b"No admin key" in other.stderr


class TestDatabase:
    def test_stored_usage_is_not_requested_again(self, child: Any, server: DemoServer) -> None:
        first = child(*DAYS, "--format", "json")
        server.requests.clear()
        second = child(*DAYS, "--format", "json", env={"OPENAI_ADMIN_KEY": ""})
        assert (second.status, second.out) == (first.status, first.out) == (0, first.out)
        assert (first.err, second.err) == (child.server_note, ""), "the server is named if the key is sent"
        assert server.requests == []
        assert ProfilePaths(child.home / "data").database.exists()

    def test_each_profile_has_its_own_database(self, child: Any, server: DemoServer) -> None:
        child(*DAYS)
        server.requests.clear()
        assert child(*DAYS, "--profile", "other").status == 0
        assert len(server.requests) == 1

    def test_database_that_another_process_has_open(self, child: Any, server: DemoServer) -> None:
        assert child(*DAYS).status == 0
        path = ProfilePaths(child.home / "data").database
        store = Store.open(path)
        try:
            printed = child(*DAYS)
            assert (printed.status, printed.out) == (1, "")
            assert printed.err.startswith("usage-viewer: The local database is in use")
            assert printed.err.splitlines()[1] == (
                "Close the window, or add --no-store to run without the database."
            )
            before = path.stat().st_mtime_ns, path.stat().st_size
            printed = child(*DAYS, "--no-store", "--format", "json")
            assert (printed.status, printed.err) == (0, child.server_note)
            assert printed.rows[0]["input_tokens"] > 0
            assert (path.stat().st_mtime_ns, path.stat().st_size) == before
        finally:
            store.close()

    def test_no_store_leaves_no_file(self, child: Any) -> None:
        assert child(*DAYS, "--no-store").status == 0
        assert not (child.home / "data").exists()

    @pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of POSIX")
    def test_data_directory_that_can_not_be_written(self, child: Any) -> None:
        (child.home / "data").write_text("a file is in the way")
        printed = child(*DAYS)
        assert printed.status == 1
        assert "The data directory can't be written" in printed.err
        assert "--data-dir" in printed.err
        assert "Traceback" not in printed.err


class TestStreams:
    def test_reader_that_closes_the_pipe_midway(self, child: Any) -> None:
        process = start(child, *MANY)
        assert process.stdout is not None
        assert process.stdout.readline().endswith(b"\tTokens per request\n")
        process.stdout.close()
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err.decode()) == (1, child.server_note)

    def test_reader_that_closes_the_pipe_before_a_short_table(self, child: Any) -> None:
        process = start(child, *DAYS)
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err.decode()) == (1, child.server_note)

    @linux
    def test_full_disk_is_reported(self, child: Any) -> None:
        with Path("/dev/full").open("wb") as full:
            process = start(child, *DAYS, stdout=full.fileno())
            _, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert err.decode() == child.server_note + (
            "usage-viewer: The table can't be written (No space left on device)\n"
            "Check the output's permissions and free space.\n"
        )

    def test_output_is_utf_8_in_every_locale(self, child: Any, server: DemoServer) -> None:
        def rename(page: Any) -> Any:
            for bucket in page["data"]:
                for result in bucket["results"]:
                    result["model"] = "modèle-数"
            return page

        server.faults = lambda request: Fault(edit=rename)
        for form in ("tsv", "json"):
            ended = subprocess.run(
                child.command(*DAYS, "--group-by", "model", "--metrics", "input_tokens", "--format", form),
                env=child.environment({"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}),
                capture_output=True,
                check=False,
                timeout=60,
            )
            assert ended.returncode == 0
            assert "modèle-数".encode() in ended.stdout

    def test_csv_has_single_crlf_line_ends(self, child: Any) -> None:
        ended = subprocess.run(
            child.command(*DAYS, "--format", "csv"),
            env=child.environment(),
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert re.fullmatch(rb"[^\r\n]+\r\n[^\r\n]+\r\n", ended.stdout)

    @pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
    def test_ctrl_c_stops_at_once_with_a_message(self, child: Any, server: DemoServer) -> None:
        server.faults = lambda request: Fault(stall=30.0)
        process = start(child, *DAYS)
        until = time.monotonic() + 20
        while not server.requests:
            assert time.monotonic() < until
            time.sleep(0.02)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert time.monotonic() - begun < 5 * slowdown()
        assert process.returncode == 3
        assert (out, err.decode()) == (
            b"",
            f"{child.server_note}\nusage-viewer: Stopped. Data loaded so far is kept.\n",
        )


class TestServer:
    def test_failed_server_leaves_an_incomplete_table(self, child: Any, server: DemoServer) -> None:
        assert child("table", "--from", MIDDLE, "--to", LAST_WEEK).status == 0
        server.faults = lambda request: Fault(status=500, headers={"retry-after-ms": "1"})
        printed = child(*DAYS)
        assert printed.status == 3
        assert printed.err.startswith(f"{child.server_note}usage-viewer: The server failed")
        assert "Incomplete: 13 of 28 days loaded." in printed.err
        assert f"  {LAST_MONTH}T00:00:00Z to {MIDDLE}T00:00:00Z (15 days)\n" in printed.err

    @pytest.mark.parametrize(
        "url",
        [
            "http://example.org/v1",
            "ftp://example.org",
            "no address",
            "https://",
            "https://user:hunter2@example.org/v1",
        ],
    )
    def test_invalid_base_url_is_refused(self, child: Any, url: str, server: DemoServer) -> None:
        printed = child(*DAYS, "--base-url", url)
        assert (printed.status, printed.out) == (2, "")
        assert printed.err.startswith("usage-viewer: ")
        assert len(printed.err.splitlines()) == 2
        assert "hunter2" not in printed.err
        assert server.requests == []


class TestDemo:
    def test_demo_needs_no_key_and_leaves_no_file(self, child: Any, server: DemoServer) -> None:
        printed = child(*DAYS, "--demo", "--format", "json", env={"OPENAI_ADMIN_KEY": ""})
        assert (printed.status, printed.err) == (0, "")
        assert printed.rows[0]["input_tokens"] > 0
        assert not (child.home / "data").exists()
        assert server.requests == []

    @linux
    def test_demo_server_does_not_get_the_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from usage_viewer.demo.server.child import start_demo

        key = AdminKey.parse("sk-admin-a-real-one-Zq7mW2xV9tLr4KpN8s")
        monkeypatch.setenv("OPENAI_ADMIN_KEY", key.reveal())
        monkeypatch.setenv("OPENAI_API_KEY", "sk-proj-another-one-Zq7mW2xV9tLr4KpN8s")
        monkeypatch.setenv("A_HARMLESS_ONE", "kept")
        with start_demo(days=2) as demo:
            environment = Path(f"/proc/{demo.pid}/environ").read_bytes()
            command = Path(f"/proc/{demo.pid}/cmdline").read_bytes()
        assert b"A_HARMLESS_ONE=kept" in environment
        for text in (environment, command):
            assert b"Zq7mW2xV9t" not in text


class TestBadArguments:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("table",),
            ("table", "--from", "soon", "--to", LAST_WEEK),
            (*DAYS, "--filter", "model"),
            (*DAYS, "--metrics", "money"),
            (*DAYS, "--sort", "-money"),
            (*DAYS, "--dataset", "emails"),
            (*DAYS, "--format", "pdf"),
            (*DAYS, "--profile", "../etc"),
            ("chart",),
        ],
    )
    def test_invalid_arguments_exit_with_2_and_leave_no_file(self, child: Any, arguments: tuple[str, ...]) -> None:
        printed = child(*arguments)
        assert (printed.status, printed.out) == (2, "")
        assert printed.err.startswith("usage-viewer: ")
        assert "Traceback" not in printed.err
        assert not (child.home / "data").exists()
