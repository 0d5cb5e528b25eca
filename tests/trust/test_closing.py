"""Checks that closing the window during any work ends the process soon, with status 0 and no message."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.rigs.keys import key_scope
from tests.rigs.load import slowdown
from tests.trust.leaks import descendants
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import open_keystore

if TYPE_CHECKING:
    from tests.rigs.secret_service import SecretService
    from tests.trust.conftest import Program, Window

STALL: Final = Fault(stall=60)
WEEK: Final = ("table", "--from", "2026-10-20", "--to", "2026-10-27", "--format", "json")


def ready(window: "Window") -> None:
    window.wait_for("shown", "Complete: 30 days")


def test_closes_when_everything_is_shown(program: "Program") -> None:
    with program.window() as window:
        ready(window)
        window.close()


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.1, 0.3])
def test_closes_soon_after_the_start(program: "Program", delay: float) -> None:
    with program.window() as window:
        window.ask("status")
        time.sleep(delay)
        window.close()


def test_closes_during_a_stalled_fetch(program: "Program") -> None:
    with program.window() as window:
        ready(window)
        program.server.faults = lambda request: None if request.query.get("limit") == ["1"] else STALL
        count = len(program.server.requests)
        window.ask("look-at 300")
        until = time.monotonic() + 60
        while len(program.server.requests) < count + 4:
            assert time.monotonic() < until
            time.sleep(0.01)
        window.close()


def stalls(word: str) -> Callable[[Request], Fault | None]:
    return lambda request: STALL if word in request.path else None


@pytest.mark.parametrize("word", ["projects", "users"])
def test_closes_while_names_are_fetched(program: "Program", word: str) -> None:
    program.server.faults = stalls(word)
    with program.window() as window:
        window.wait_for("status", "Complete: 30 days")
        assert window.ask("busy names")
        window.close()


def test_closes_while_totals_are_verified(program: "Program") -> None:
    program.server.faults = lambda request: STALL if "group_by" not in request.query else None
    with program.window() as window:
        window.wait_for("status", "Complete: 30 days")
        window.ask("trigger prove")
        window.close()


def test_closes_during_a_long_query(program: "Program") -> None:
    with program.window() as window:
        ready(window)
        window.ask("query")
        time.sleep(0.3)
        assert window.ask("busy look")
        window.close()


def test_closes_while_many_rows_are_copied(program: "Program") -> None:
    with program.window() as window:
        ready(window)
        window.ask("copy-many")
        time.sleep(0.3)
        window.close()


@pytest.mark.parametrize("suffix", [".csv", ".json", ".md"])
def test_closes_while_many_rows_are_saved(program: "Program", suffix: str) -> None:
    path = program.home / f"saved{suffix}"
    path.write_text("as it was")
    with program.window() as window:
        ready(window)
        window.ask(f"save-many {path}")
        until = time.monotonic() + 60
        while not list(program.home.glob(".saved*.part")):
            assert time.monotonic() < until
            time.sleep(0.01)
        window.close()
    assert path.read_text() == "as it was"
    assert not list(program.home.glob(".saved*")), "half a file was left"


def test_closes_while_a_snapshot_is_saved(program: "Program") -> None:
    with program.window() as window:
        ready(window)
        window.ask(f"save-snapshot {program.home / 'snapshot.zip'}")
        window.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("delay", [0.0, 0.1, 1.0])
def test_closes_while_the_demo_starts_or_runs(program: "Program", delay: float) -> None:
    with program.window() as window:
        ready(window)
        window.ask("trigger demo")
        time.sleep(delay)
        children = descendants(window.process.pid)[1:]
        window.close()
    until = time.monotonic() + 60
    while left := [child for child in children if Path(f"/proc/{child}/cmdline").exists()]:
        assert time.monotonic() < until, f"{left} are left"
        time.sleep(0.05)


def own_bus(service: "SecretService") -> Mapping[str, str]:
    session = {name: value for name, value in service.environment.items() if name.startswith(("XDG_", "DBUS_"))}
    return {**session, "OPENAI_ADMIN_KEY": ""}


@pytest.mark.secret_service
def test_closes_while_the_keyring_does_not_answer(program: "Program", secret_service: "SecretService") -> None:
    secret_service.pause()
    try:
        with program.window(env=own_bus(secret_service)) as window:
            window.ask("status")
            time.sleep(0.5)
            window.close()
    finally:
        secret_service.resume()


@pytest.mark.secret_service
@pytest.mark.display
def test_closes_while_the_keyring_asks_for_its_password(
    program: "Program",
    start_secret_service: "Callable[[str | None], SecretService]",
    display: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = start_secret_service(display)
    service.use(monkeypatch)
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    open_keystore(key_scope("default", program.server.base_url, program.data)).save(
        AdminKey.parse(program.server.key)
    )
    service.lock()
    with program.window(env=own_bus(service)) as window:
        window.ask("status")
        until = time.monotonic() + 60
        while not service.prompter():
            assert time.monotonic() < until, "no prompt came"
            time.sleep(0.05)
        begun = time.monotonic()
        for _ in range(20):
            window.ask("status")
        assert time.monotonic() - begun < 1 * slowdown(), "the window stands still while the prompt waits"
        window.close()


def test_table_reports_database_in_use_by_a_window(program: "Program") -> None:
    with program.window() as window:
        ready(window)
        printed = program(*WEEK)
        assert (printed.status, printed.out) == (1, "")
        assert printed.err.startswith("usage-viewer: The local database is in use")
        assert printed.err.endswith("\nClose the window, or add --no-store to run without the database.\n")
        alone = program(*WEEK, "--no-store")
        assert (alone.status, alone.err) == (0, program.server_note)
        window.close()
    after = program(*WEEK)
    assert (after.status, after.out) == (0, alone.out)
