"""Runs the whole program with a marked key and searches everything that it wrote, printed or showed."""

import base64
import html
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest

from tests.rigs.command_line import ROOT
from tests.rigs.keys import key_scope
from tests.rigs.wire import refusing_port
from tests.trust.conftest import Program
from tests.trust.known_usage import organization
from tests.trust.leaks import MARK, OTHER, Search, descendants
from usage_viewer.demo.server.faults import Fault
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import open_keystore

if TYPE_CHECKING:
    from tests.rigs.command_line import Printed
    from tests.rigs.secret_service import SecretService
    from tests.trust.conftest import Window

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
        "\n  ".join(MARK[at : at + 5] for at in range(0, len(MARK), 5)),
        "".join(f"&#{ord(char)};" for char in MARK),
        "".join(f"%{ord(char):02x}" for char in MARK),
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


def test_table_writes_no_key(program: Program, search: Search) -> None:
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


def echoes(key: str) -> dict[str, Fault]:
    """Return answers that say the key back, each in another place."""

    def error(status: int, **fields: str) -> Fault:
        return Fault(status=status, body=json.dumps({"error": fields}).encode())

    encoded = base64.b64encode(f"user:{key}".encode()).decode()
    return {
        "401": error(401, message=f"Incorrect API key: {key}"),
        "403": error(403, message=f"Bearer {key}", code=key),
        "400": error(400, message=key, param=key, type=key),
        "422": Fault(status=422, body=json.dumps({"title": key, "detail": [{"loc": [key], "msg": key}]}).encode()),
        "500": Fault(status=500, body=f"<html>{html.escape(key)}</html>".encode(), headers={"x-request-id": key}),
        "502": Fault(status=502, body=f"<html><title>{key}</title></html>".encode()),
        "301": Fault(status=301, headers={"location": f"https://example.org/?key={quote(key, safe='')}"}),
        "no JSON": Fault(body=key.encode()),
        "another shape": Fault(body=json.dumps({"data": [{key: key, "start_time": key}], key: 1}).encode()),
        "another object": Fault(body=json.dumps({"object": key, "data": key}).encode()),
        "429": Fault(
            status=429, body=json.dumps({"error": {"message": key}}).encode(), headers={"retry-after": key}
        ),
        "upper case": error(401, message=f"UNKNOWN KEY {key.upper()}"),
        "Base64": error(401, message=f"Authorization: Basic {encoded}", code=encoded),
        "cookie": Fault(status=400, headers={"set-cookie": f"session={key}", f"x-{key[-12:]}": "1"}),
        "type": Fault(body=b"x", headers={"content-type": key}),
        "cut off": Fault(truncate=20),
        "wrapped": error(401, message="\n".join(key[at : at + 5] for at in range(0, len(key), 5))),
        "escaped letters": error(400, message="".join(f"&#{ord(char)};" for char in key)),
        "URL in JSON": Fault(status=500, body="".join(f"%{ord(char):02x}" for char in key).encode()),
    }


PLAIN: Final = "Zq7mW2xV9tLr4KpN8sBd3FhJ6gTyR5cEuA1oQv0iXwMzPqLk"
"""A key of a gateway: it doesn't look like OpenAI's."""


@pytest.mark.parametrize("key", [MARK, PLAIN])
@pytest.mark.parametrize("name", echoes(""))
def test_server_that_echoes_the_key(name: str, key: str, program: Program) -> None:
    search = Search(keys=(key,))
    fault = echoes(key)[name]
    headers = {"retry-after-ms": "1", **fault.headers}
    program.server.faults = lambda request: Fault(fault.status, headers, fault.body, truncate=fault.truncate)
    searched(search, program(*WEEK, env={"OPENAI_ADMIN_KEY": key}), 3, "usage-viewer: ")
    search.files(program.home)
    search.check()


@pytest.mark.parametrize("key", [MARK, PLAIN])
def test_server_that_answers_with_the_key_as_data(key: str, tmp_path: Path) -> None:
    """A model, a field that is not known, and the names of projects contain the key."""

    def edit(page: Any) -> Any:
        for bucket in page.get("data", ()):
            bucket |= {"name": f"project {key}"} if bucket.get("object") == "organization.project" else {}
            for row in bucket.get("results", ()):
                row |= {"model": key, "a_new_field": f"x {key} y"}
        return page

    search = Search(keys=(key,))
    with DemoServer(organization(), key=key) as server:
        program = Program(server, tmp_path)
        server.faults = lambda request: Fault(edit=edit)
        done = program(*WEEK, "--group-by", "model,project_id,extra.a_new_field", env={"OPENAI_ADMIN_KEY": key})
    searched(search, done, 0, "GET /organization/usage/completions: 200")
    rows = json.loads(done.out)
    assert {row["model"] for row in rows} == {AdminKey.parse(key).kind.value + "…"}
    assert any("project " in str(row) for row in rows)
    search.files(program.home)
    search.check()


def test_unreachable_server(program: Program, search: Search) -> None:
    with refusing_port() as port:
        searched(search, program(*WEEK, "--base-url", f"http://127.0.0.1:{port}/v1"), 3, "usage-viewer: ")
    search.files(program.home)
    search.check()


@linux
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can start another user")
def test_other_processes_of_the_user_cannot_read_the_memory(program: Program) -> None:
    """`/proc/PID/environ` and `mem` of a running command are refused to another process of the same user."""
    if subprocess.run([*NOBODY, sys.executable, "-c", "import usage_viewer, httpx"], cwd=ROOT).returncode:
        pytest.skip("another user can't run this checkout")
    arrived, go_on = threading.Event(), threading.Event()

    def hold(request: object) -> None:
        arrived.set()
        go_on.wait(30)

    program.server.faults = hold
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(
            [*NOBODY, sys.executable, "-m", "usage_viewer", *program.options, *WEEK, "--data-dir", home],
            env=program.environment({"HOME": home}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as run,
    ):
        os.chown(home, 65534, 65534)
        try:
            assert arrived.wait(30)
            for name in ("environ", "mem"):
                read = subprocess.run([*NOBODY, "head", "-c", "1", f"/proc/{run.pid}/{name}"], capture_output=True)
                assert read.returncode != 0
                assert b"Permission denied" in read.stderr
            own = subprocess.run([*NOBODY, "cat", "/proc/self/environ"], capture_output=True)
            assert own.returncode == 0  # this user may read its other processes
        finally:
            go_on.set()
            _, errors = run.communicate(timeout=30)
    assert run.returncode == 0, errors


NOBODY: Final = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


FAILING: Final = """
import sys
import tempfile
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


def test_unexpected_error_prints_no_key(program: Program, search: Search) -> None:
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
    program: Program, search: Search, secret_service: "SecretService", monkeypatch: pytest.MonkeyPatch
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
        program.server.faults = lambda request: echoes(MARK)["403"]
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
        program.server.faults = lambda request: echoes(MARK)["401"]
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


@linux
def test_window_shows_no_key_of_any_form_that_a_server_echoes(tmp_path: Path) -> None:
    """Each failure is shown: in the banner, the status bar, tool tips and accessible texts."""
    search = Search(keys=(PLAIN,))
    with DemoServer(organization(), key=PLAIN) as server:
        program = Program(server, tmp_path)
        with program.window("--verbose", env={"OPENAI_ADMIN_KEY": PLAIN}) as window:
            window.wait_for("shown", "Complete: 30 days")
            for days, fault in enumerate(echoes(PLAIN).values(), 60):
                answer = replace(fault, headers={"retry-after-ms": "1", **fault.headers})
                server.faults = repeat_fault(answer)
                window.ask(f"look-at {days}")
                window.wait_for("idle")
                assert window.ask("banner") or window.ask("key-page"), fault
                look_around(window, search, environment=False)
        search.text("standard error", window.err)
    search.files(program.home)
    search.check()


def repeat_fault(fault: Fault) -> Callable[[object], Fault]:
    return lambda request: fault


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
def test_key_of_environment_is_not_inherited(program: Program, search: Search) -> None:
    with program.window("--verbose", "--demo") as window:
        window.wait_for("shown", "Complete: 30 days")
        assert len(descendants(window.process.pid)) > 1
        search.process(window.process.pid, environment=False)
        search.text("standard error", window.err)
    search.check()


@linux
def test_crash_writes_no_core_file(program: Program) -> None:
    """A core file would contain the key. The system's limit is raised first, as it may be 0 already."""
    with program.window(within=["sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh"]) as window:
        window.wait_for("shown")
        limits = Path(f"/proc/{window.process.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert line.split()[4] in ("0", "1")
