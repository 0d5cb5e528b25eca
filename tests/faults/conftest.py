"""Runs `table` and the window in front of a server that misbehaves."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from tests.faults.certificates import Authority
from tests.faults.fault_cases import Fault
from tests.faults.usage_wire import DAY, JULY, KEY, NOW, OCTOBER_2, UsageWire, tokens_of
from tests.rigs import command_line
from tests.rigs.names import HostNames
from tests.rigs.waits import Waits
from tests.rigs.window import WindowUnderTest
from usage_viewer.api import Timeouts
from usage_viewer.app.fetch.api_source import ConnectionOptions
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.profile.profile import Demo, Profile
from usage_viewer.app.settings import settings
from usage_viewer.app.settings.settings import ProfileSettings, Settings
from usage_viewer.cli.arguments import build_parser
from usage_viewer.cli.view_parsing import parse_view
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.table import FigureColumn, PeriodColumn, Table
from usage_viewer.gui.workspace.app_context import AppContext
from usage_viewer.keystore import MemoryKeystore

TIMEOUT = 60_000
"""Milliseconds after which a wait fails the test."""

PATIENT = Timeouts(connect=10.0, read=20.0, total=40.0)
IMPATIENT = Timeouts(connect=10.0, read=1.1, total=1.6)

QUESTION = ["table", "--from", "2026-07-01", "--to", "2026-10-02", "--per", "day", "--format", "json"]
QUESTION += ["--metrics", "input_tokens,num_model_requests"]

HOST = "usage.test"
"""The server's name, for TLS; only the rig knows its address."""


@dataclass(frozen=True)
class Printed(command_line.Printed):
    """What `table` printed as JSON for days."""

    @property
    def tokens(self) -> dict[str, int]:
        """Input tokens by the day's date."""
        return {row["period_start"][:10]: row["input_tokens"] for row in self.rows}


@dataclass
class FaultRig:
    """Holds a server, a second one that must get no request, a data directory, and runs the program."""

    directory: Path
    server: UsageWire
    elsewhere: UsageWire
    authority: Authority
    qtbot: QtBot | None = None
    waits: Waits = field(default_factory=Waits)
    names: HostNames = field(default_factory=lambda: HostNames({HOST: "127.0.0.1"}))
    impatient: bool = False
    windows: list[WindowUnderTest] = field(default_factory=list)

    @property
    def place(self) -> ProfilePaths:
        return ProfilePaths(self.directory)

    def misbehave(self, fault: Fault) -> None:
        """Start a fault; `mend` ends it."""
        self.impatient = fault.impatient
        self.server.behave, self.server.stubborn = fault.behave, fault.stubborn
        self.server.clock = lambda: NOW + fault.clock_error
        if fault.way == "dns":
            self.server.before = self.lose_the_name
        elif fault.way == "refuse":
            self.server.before = self.server.refuse

    def lose_the_name(self) -> None:
        """Take the address from the server's name."""
        self.names.addresses.clear()

    def find_the_name(self) -> None:
        self.names.addresses[HOST] = "127.0.0.1"

    def mend(self, fault: Fault) -> None:
        self.impatient = False
        self.server.behave = self.server.before = None
        self.server.stubborn = False
        self.server.clock = lambda: NOW
        self.find_the_name()
        if fault.way == "refuse":
            self.server.listen()
        self.server.requests.clear()
        self.waits.seconds.clear()

    def profile(self) -> Profile:
        url = self.server.base_url
        return Profile(
            "default",
            base_url=url.replace("127.0.0.1", HOST) if self.server.context else url,
            database=self.place.database,
            keystore=lambda: MemoryKeystore(AdminKey.parse(KEY)),
            connection=ConnectionOptions(
                ca_file=self.authority.file,
                timeouts=IMPATIENT if self.impatient else PATIENT,
                workers=1,
                wait=self.waits,
            ),
            clock=lambda: NOW,
        )

    def table(self, *more: str) -> Printed:
        printed = command_line.print_table(self.profile(), *QUESTION[1:], *more)
        return Printed(printed.status, printed.out, printed.err)

    def window(self, *more: str) -> WindowUnderTest:
        """Open a window whose last view was the same question; return when everything is shown."""
        view = parse_view(build_parser().parse_args([*QUESTION, *more]))
        settings.save(self.place.settings, Settings(profiles={"default": ProfileSettings(view=view)}))
        window = WindowUnderTest()
        window.load(
            AppContext(
                self.profile(), self.place, lambda organization: self.profile(), self._no_demo, self._no_removal
            )
        )
        self.windows.append(window)
        assert self.qtbot is not None
        self.qtbot.addWidget(window, before_close_func=lambda closing: self.close(window))
        window.show()
        self.settle(window, window.start)
        return window

    def _no_demo(self) -> Demo:
        raise NotImplementedError

    def _no_removal(self, id: str) -> None:
        raise NotImplementedError

    def settle(self, window: WindowUnderTest, act: Callable[[], object]) -> None:
        """Acts, then waits until everything requested is shown."""
        assert self.qtbot is not None
        with self.qtbot.waitSignal(window.settled, timeout=TIMEOUT):
            act()

    def close(self, window: WindowUnderTest) -> None:
        if window in self.windows:
            self.windows.remove(window)
            window.close()
            window.finish()


def honest_tokens(days: range = range(JULY, OCTOBER_2, DAY)) -> dict[str, int]:
    """Return the input tokens of an honest server, by date."""
    from usage_viewer.domain.zones import iso

    return {iso(day)[:10]: tokens_of(day) for day in days}


def shown_tokens(table: Table) -> dict[str, int]:
    """Return the input tokens that a table of days shows, by date."""
    period, figures = table.by_name["period"], table.by_name["input_tokens"]
    assert isinstance(period, PeriodColumn)
    assert isinstance(figures, FigureColumn)
    return {period.bounds(row)[0][:10]: int(figures.figures.at(row) or 0) for row in range(table.rows)}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def rig(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultRig]:
    server, elsewhere = UsageWire(), UsageWire()
    rig = FaultRig(tmp_path / "data", server, elsewhere, authority)
    rig.names.use(monkeypatch)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    elsewhere.listen()
    server.elsewhere = f"{elsewhere.base_url}/organization"
    yield rig
    for window in list(rig.windows):
        rig.close(window)
    server.close()
    elsewhere.close()


def summary_of(text: str) -> str:
    """Return the part of a text about the loaded days as `47 of 93 days`; "" if there is none.

    Days that are still to come follow in parentheses.
    """
    match = re.search(r"(?:Complete: (\d+) days|(\d+ of \d+ days) loaded)(?:, (\d+) still to come)?", text)
    if match is None:
        return ""
    whole, part, later = match.groups()
    return (part or f"{whole} of {whole} days") + (f" ({later} still to come)" if later else "")
