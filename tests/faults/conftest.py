"""Both faces of the program, `table` and the window, in front of a server that misbehaves."""

import io
import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from tests.faults.certificates import Authority
from tests.faults.fault_cases import Fault
from tests.faults.usage_wire import DAY, JULY, KEY, NOW, OCTOBER_2, UsageWire, tokens_of
from tests.rigs.window import WindowUnderTest
from usage_viewer.api import Timeouts
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.profile.profile import Demo, Profile
from usage_viewer.app.settings import settings
from usage_viewer.app.settings.settings import ProfileSettings, Settings
from usage_viewer.cli.arguments import build_parser, parse_view
from usage_viewer.cli.table import run_table
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.table import FigureColumn, PeriodColumn, Table
from usage_viewer.gui.workspace.app_context import AppContext
from usage_viewer.keystore import MemoryKeystore

TIMEOUT = 20_000
"""Milliseconds after which something that never comes fails a test."""

PATIENT = Timeouts(connect=10.0, read=20.0, total=40.0)
IMPATIENT = Timeouts(connect=10.0, read=1.1, total=1.6)

QUESTION = ["table", "--from", "2026-07-01", "--to", "2026-10-02", "--per", "day", "--format", "json"]
QUESTION += ["--metrics", "input_tokens,num_model_requests"]

HOST = "usage.test"
"""A name that has an address as long as `Desk.named` says so."""


@dataclass(frozen=True)
class Printed:
    """What `table` printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def tokens(self) -> dict[str, int]:
        """Input tokens by the day's date."""
        return {row["period_start"][:10]: row["input_tokens"] for row in json.loads(self.out)}


@dataclass
class Waits:
    """Stands for the waiting between tries: notes the seconds, and lets none pass."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return False


@dataclass
class Desk:
    """A server, another one that nothing may ever reach, a data directory, and the program's two faces."""

    directory: Path
    server: UsageWire
    elsewhere: UsageWire
    authority: Authority
    qtbot: QtBot | None = None
    waits: Waits = field(default_factory=Waits)
    named: bool = True
    impatient: bool = False
    windows: list[WindowUnderTest] = field(default_factory=list)

    @property
    def place(self) -> ProfilePaths:
        return ProfilePaths(self.directory)

    def misbehave(self, fault: Fault) -> None:
        """From now on, until `mend`."""
        self.impatient = fault.impatient
        self.server.behave, self.server.stubborn = fault.behave, fault.stubborn
        self.server.clock = lambda: NOW + fault.clock_error
        if fault.way == "dns":
            self.server.before = self._lose_the_name
        elif fault.way == "refuse":
            self.server.before = self.server.refuse

    def _lose_the_name(self) -> None:
        self.named = False

    def mend(self, fault: Fault) -> None:
        self.impatient = False
        self.server.behave = self.server.before = None
        self.server.stubborn = False
        self.server.clock = lambda: NOW
        self.named = True
        if fault.way == "refuse":
            self.server.listen()
        self.server.asked.clear()
        self.waits.seconds.clear()

    def profile(self) -> Profile:
        url = self.server.base_url
        return Profile(
            "default",
            base_url=url.replace("127.0.0.1", HOST) if self.server.context else url,
            database=self.place.database,
            keystore=lambda: MemoryKeystore(AdminKey.parse(KEY)),
            ca_file=self.authority.file,
            clock=lambda: NOW,
            workers=1,
            timeouts=IMPATIENT if self.impatient else PATIENT,
            wait=self.waits,
        )

    def table(self, *more: str) -> Printed:
        out, err = io.StringIO(), io.StringIO()
        status = run_table(build_parser().parse_args([*QUESTION, *more]), self.profile(), out, err)
        return Printed(status, out.getvalue(), err.getvalue())

    def window(self, *more: str) -> WindowUnderTest:
        """One that was looking at the same question when it was closed; returns once it has settled."""
        view = parse_view(build_parser().parse_args([*QUESTION, *more]))
        settings.save(self.place.settings, Settings(profiles={"default": ProfileSettings(view=view)}))
        window = WindowUnderTest()
        window.load(AppContext(self.profile(), self.place, lambda organization: self.profile(), self._no_demo))
        self.windows.append(window)
        assert self.qtbot is not None
        self.qtbot.addWidget(window, before_close_func=lambda closing: self.close(window))
        window.show()
        self.settle(window, window.start)
        return window

    def _no_demo(self) -> Demo:
        raise NotImplementedError

    def settle(self, window: WindowUnderTest, act: Callable[[], object]) -> None:
        """Acts, then waits until everything that was asked for is shown."""
        assert self.qtbot is not None
        with self.qtbot.waitSignal(window.settled, timeout=TIMEOUT):
            act()

    def close(self, window: WindowUnderTest) -> None:
        if window in self.windows:
            self.windows.remove(window)
            window.close()
            window.finish()


def honest_tokens(days: range = range(JULY, OCTOBER_2, DAY)) -> dict[str, int]:
    """By the day's date: what an honest server answers."""
    from usage_viewer.domain.zones import iso

    return {iso(day)[:10]: tokens_of(day) for day in days}


def shown_tokens(table: Table) -> dict[str, int]:
    """By the day's date: what a table of days shows."""
    period, figures = table.by_name["period"], table.by_name["input_tokens"]
    assert isinstance(period, PeriodColumn)
    assert isinstance(figures, FigureColumn)
    return {period.bounds(row)[0][:10]: int(figures.figures.at(row) or 0) for row in range(table.rows)}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def desk(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    server, elsewhere = UsageWire(), UsageWire()
    desk = Desk(tmp_path / "data", server, elsewhere, authority)
    look_up = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **named: Any) -> Any:
        if host in (HOST, HOST.encode()):
            if not desk.named:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            host = "127.0.0.1"
        return look_up(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    elsewhere.listen()
    server.elsewhere = f"{elsewhere.base_url}/organization"
    yield desk
    for window in list(desk.windows):
        desk.close(window)
    server.close()
    elsewhere.close()


def summary_of(text: str) -> str:
    """Return the coverage that a text states as `47 of 93 days`; "" if it states none."""
    whole = re.search(r"Complete: (\d+) days", text)
    if whole:
        return f"{whole[1]} of {whole[1]} days"
    part = re.search(r"\d+ of \d+ days", text)
    return part[0] if part else ""
