"""Runs the whole program with a marked key and searches everything that it wrote, printed or showed."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.rigs.keys import key_scope
from tests.rigs.wire import refusing_port
from tests.trust.known_usage import organization
from tests.trust.leaks import MARK, OTHER, Search, descendants
from usage_viewer.demo.server.faults import Fault
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import open_keystore

if TYPE_CHECKING:
    from tests.rigs.command_line import Printed
    from tests.rigs.secret_service import SecretService
    from tests.trust.conftest import Program, Window

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(organization(), key=MARK) as running:
        yield running


@pytest.fixture
def search() -> Search:
    return Search()


@pytest.mark.parametrize(
    "disguised",
    [
        MARK,
        f"key={MARK[20:28]}.",
        MARK[9:17].upper(),
        MARK.encode("utf-16-le"),
        MARK.encode().hex(),
        base64.b64encode(f'{{"k": "{MARK}"}}'.encode()).decode(),
    ],
)
def test_search_finds_disguised_keys(search: Search, disguised: str | bytes) -> None:
    search.text("a file", disguised)
    assert search.hits


def test_search_ignores_the_masked_key(search: Search) -> None:
    search.text("a file", f"{AdminKey.parse(MARK)!r} sk-admin- {MARK[-7:]} " * 100)
    search.check()


def searched(search: Search, done: "Printed", status: int, word: str) -> None:
    search.text("standard output", done.out)
    search.text("standard error", done.err)
    assert done.status == status, done.err
    assert word in done.err


WEEK: Final = ("table", "--from", "2026-10-20", "--to", "2026-10-27", "--names", "--verbose", "--format", "json")


def test_table_writes_no_key(program: "Program", search: Search) -> None:
    def run(status: int, word: str, *more: str, key: str = MARK) -> None:
        done = program(*WEEK, *more, env={"OPENAI_ADMIN_KEY": key, "PYTHONFAULTHANDLER": "1"})
        searched(search, done, status, word)

    run(3, "The admin key was refused", key=OTHER)
    run(0, "GET /organization/usage/completions: 200")
    run(2, "usage-viewer: ", "--key", MARK)
    run(2, "usage-viewer: ", "--profile", MARK + "!")
    run(2, "usage-viewer: ", "--filter", MARK)
    run(2, "usage-viewer: ", "--base-url", f"https://{MARK}@example.org/v1")
    run(2, "usage-viewer: ", "--base-url", f"http://example.org/{MARK}")
    run(2, "usage-viewer: ", "--ca-file", f"/nonexistent/{MARK}")
    run(3, "no spaces", "--no-store", key=f"{MARK} {MARK}")
    program.place.database.write_bytes(b"damaged" * 1000)
    run(1, "The local database is damaged")
    run(0, "kept as", "--start-over")
    search.files(program.home)
    search.check()


ECHOES: Final = {
    "401": Fault(status=401, body=json.dumps({"error": {"message": f"Incorrect API key: {MARK}"}}).encode()),
    "403": Fault(status=403, body=json.dumps({"error": {"message": f"Bearer {MARK}", "code": MARK}}).encode()),
    "400": Fault(status=400, body=json.dumps({"error": {"message": MARK, "param": MARK, "type": MARK}}).encode()),
    "500": Fault(status=500, body=f"<html>{MARK}</html>".encode(), headers={"x-request-id": MARK}),
    "301": Fault(status=301, headers={"location": f"https://example.org/?key={MARK}"}),
    "no JSON": Fault(body=MARK.encode()),
    "another shape": Fault(body=json.dumps({"data": [{MARK: MARK, "start_time": MARK}], MARK: 1}).encode()),
    "429": Fault(status=429, body=json.dumps({"error": {"message": MARK}}).encode(), headers={"retry-after": MARK}),
    "cut off": Fault(truncate=20),
}


@pytest.mark.parametrize("name", ECHOES)
def test_server_that_echoes_the_key(name: str, program: "Program", search: Search) -> None:
    fault = ECHOES[name]
    headers = {"retry-after-ms": "1", **fault.headers}
    program.server.faults = lambda request: Fault(fault.status, headers, fault.body, truncate=fault.truncate)
    searched(search, program(*WEEK), 3, "usage-viewer: ")
    search.files(program.home)
    search.check()


def test_unreachable_server(program: "Program", search: Search) -> None:
    with refusing_port() as port:
        searched(search, program(*WEEK, "--base-url", f"http://127.0.0.1:{port}/v1"), 3, "usage-viewer: ")
    search.files(program.home)
    search.check()


FAILING: Final = """
import sys
import threading
from usage_viewer.__main__ import main
from usage_viewer.app.profile.profile import Profile
def fail(self, key):
    text = key.reveal()
    raise RuntimeError(f"with {text} {key} {key!r}")
def fail_twice(self, key):
    thread = threading.Thread(target=fail, args=(self, key))
    thread.start()
    thread.join()
    fail(self, key)
Profile.source = fail_twice
sys.exit(main())
"""


def test_unexpected_error_prints_no_key(program: "Program", search: Search) -> None:
    """Adds a fault to the program, to see what Python's own report prints."""
    done = subprocess.run(
        [sys.executable, "-c", FAILING, *program.options, *WEEK],
        env=program.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count(b"RuntimeError: with sk-admin-") == 2
    search.text("standard error", done.stderr)
    search.files(program.home)
    search.check()


def look_around(window: "Window", search: Search, *, environment: bool = True) -> None:
    for command in ("texts", "clipboard", "status", "banner", "key-page"):
        search.text(command, json.dumps(window.ask(command), ensure_ascii=False))
    search.process(window.process.pid, environment=environment)


@linux
@pytest.mark.secret_service
def test_window_writes_no_key_until_a_crash(
    program: "Program", search: Search, secret_service: "SecretService", monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        name: value for name, value in secret_service.environment.items() if name.startswith(("XDG_", "DBUS_"))
    }
    environment |= {"OPENAI_ADMIN_KEY": "", "PYTHONFAULTHANDLER": "1"}
    saved = program.home / "saved"
    saved.mkdir()
    with program.window("--verbose", env=environment) as window:
        window.wait_for("key-page", "keyring")
        look_around(window, search)
        window.ask(f"enter {OTHER}")
        window.wait_for("key-page", "refused")
        look_around(window, search)
        program.server.faults = lambda request: ECHOES["403"]
        window.ask(f"enter {MARK}")
        window.wait_for("key-page", "Bearer")
        look_around(window, search)
        program.server.faults = None
        window.ask(f"enter {MARK}")
        window.wait_for("shown", "Complete: 30 days")
        use_everything(window, saved)
        look_around(window, search)
        window.ask(f"raise {MARK}")
        window.wait_for("texts", "RuntimeError: unexpected")
        look_around(window, search)
        window.ask(f"raise-in-worker {MARK}")
        window.wait_for("texts", "RuntimeError: in the worker")
        look_around(window, search)
        window.ask("clear-clipboard")
        window.tell("crash abort")
        assert window.process.wait(20) == -6
        assert "Fatal Python error: Aborted" in window.err
    with program.window("--verbose", env=environment) as window:
        window.wait_for("shown", "Complete: 30 days")
        program.server.faults = lambda request: ECHOES["401"]
        window.ask("look-at 60")
        window.wait_for("banner", "refused")
        look_around(window, search)
        window.ask("ask-for-key")
        window.ask("trigger demo")
        window.wait_for("texts", "demo")
        window.wait_for("shown", "Complete: 30 days")
        assert len(descendants(window.process.pid)) > 1, "the demo is a process of its own"
        look_around(window, search)
        window.tell("crash segmentation-fault")
        assert window.process.wait(20) == -11
        assert "Fatal Python error: Segmentation fault" in window.err
    search.files(program.home)
    search.check()
    secret_service.use(monkeypatch)
    stored_key = open_keystore(key_scope("default", program.server.base_url, program.data)).load()
    assert stored_key is not None
    assert stored_key.reveal() == MARK


def use_everything(window: "Window", saved: Path) -> None:
    window.ask("copy")
    window.wait_for("clipboard", "Model")
    for format_ in ("copy_json", "copy_markdown"):
        window.ask(f"trigger {format_}")
    window.ask(f"save-snapshot {saved / 'snapshot.zip'}")
    window.ask(f"save-snapshot {saved / 'snapshot'}")
    window.ask(f"picture {saved / 'picture.png'}")
    for command in ("about", "shortcuts", "changes", "origins", "prove", "refresh"):
        window.ask(f"trigger {command}")
    window.wait_for("shown")
    window.wait_for("status", "Saved")
    assert (saved / "snapshot").is_dir()


@linux
def test_key_of_environment_is_not_inherited(program: "Program", search: Search) -> None:
    with program.window("--verbose", "--demo") as window:
        window.wait_for("shown", "Complete: 30 days")
        assert len(descendants(window.process.pid)) > 1
        search.process(window.process.pid, environment=False)
        search.text("standard error", window.err)
    search.check()


@linux
def test_crash_writes_no_core_file(program: "Program") -> None:
    """A core file would contain the key. The system's limit is raised first, as it may be 0 already."""
    with program.window(within=["sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh"]) as window:
        window.wait_for("shown")
        limits = Path(f"/proc/{window.process.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert line.split()[4] in ("0", "1")
