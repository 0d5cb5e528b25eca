"""Runs every fault against `table` and against the window, and compares the outcome with RESULTS.md."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from tests.faults.conftest import HOST, FaultRig, Printed, honest_tokens, shown_tokens, summary_of
from tests.faults.fault_cases import ALL, ALL_BUT_A_PAGE, FAULTS, UP_TO_HERE, Fault
from tests.faults.usage_wire import (
    AUGUST,
    DAY,
    JULY,
    KEY,
    OCTOBER_2,
    PAGE,
    SEPTEMBER,
    cursor_of,
    start_of,
    tokens_of,
)
from tests.rigs.window import WindowUnderTest
from usage_viewer.domain.errors import CredentialError
from usage_viewer.domain.zones import iso

RESULTS = Path(__file__).with_name("RESULTS.md")
RENEW = "RENEW_FAULT_RESULTS"
BOUNDS = [0.5, 1.0, 2.0, 4.0, 8.0]
"""The upper bounds of the program's own waits, in seconds."""

FIRST_PAGES = 3  # of September (2) and of August (1), requested before the request that misbehaves


HEADS: Final = ("Fault", "What the user reads", "Requests", "Waits", "Kept", "Exit of `table`", "Status line")
INTRODUCTION: Final = """\
# The network and the server at their worst

Checked and written by `test_fault_table.py`, which runs each fault against `table` and against the window. The
range is 93 days, requested in three windows of two pages each, the newest first; what misbehaves is the second page
of the middle window. *Requests* are all that arrived; *waits* are the pauses between tries. After each fault the
server is mended: *Retry*, or the same command again, requests only what is missing, and the range is complete.

"""


class ResultsPage:
    """Reads and writes RESULTS.md as rows of cells, by the fault's name; each test checks its own cells."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._renewing = bool(os.environ.get(RENEW))

    @property
    def rows(self) -> dict[str, list[str]]:
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        cells = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines if line.startswith("| ")]
        return {row[0]: row[1:] for row in cells[1:]}

    def check(self, fault: Fault, **cells: object) -> None:
        """Compare some cells of a row; each name is one of `COLUMNS`."""
        places = {COLUMNS.index(name): str(value) for name, value in cells.items()}
        if self._renewing:
            rows = self.rows
            for place, text in places.items():
                rows[fault.name][place] = text
            self.write(rows)
        row = self.rows[fault.name]
        written = {place: row[place] for place in places}
        assert written == places, f"{self._path.name} differs from this run; {RENEW}=1 writes it again"

    def check_frame(self) -> None:
        """Compare the page without its cells: introduction, heads, and one row for each fault in order."""
        rows = self.rows
        if self._renewing:
            self.write({fault.name: rows.get(fault.name, [""] * len(COLUMNS)) for fault in FAULTS})
            rows = self.rows
        assert list(rows) == [fault.name for fault in FAULTS]
        assert self._path.read_text(encoding="utf-8") == self._text(rows)

    def write(self, rows: Mapping[str, Sequence[str]]) -> None:
        self._path.write_text(self._text(rows), encoding="utf-8")

    @staticmethod
    def _text(rows: Mapping[str, Sequence[str]]) -> str:
        lines = [HEADS, *((name, *cells) for name, cells in rows.items())]
        head, *body = (f"| {' | '.join(line)} |\n" for line in lines)
        return "".join((INTRODUCTION, head, "|---|---|---:|---|---|---:|---|\n", *body))


COLUMNS: Final = ("user_reads", "requests", "waits", "kept", "exit", "status_line")


@pytest.fixture
def results() -> ResultsPage:
    return ResultsPage(RESULTS)


def test_results_page_has_one_row_for_each_fault(results: ResultsPage) -> None:
    results.check_frame()


@pytest.fixture
def ready(rig: FaultRig) -> FaultRig:
    rig.server.listen()
    return rig


def each_fault() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])


def begin(rig: FaultRig, fault: Fault) -> None:
    if fault.way == "dns":  # a name needs https
        rig.server.context = rig.authority.context(HOST)
    rig.server.listen()
    rig.misbehave(fault)


def expected(fault: Fault) -> dict[str, int]:
    """Return the input tokens that are kept, by date."""
    days = list(range(JULY, OCTOBER_2, DAY))
    second_page = [AUGUST + number * DAY for number in range(PAGE, 31)]
    lost: list[int] = []
    if fault.kept == ALL_BUT_A_PAGE:
        lost = second_page
    elif fault.kept == UP_TO_HERE:
        lost = [*range(JULY, AUGUST, DAY), *second_page]
    elif fault.kept.startswith("92 of 93"):
        lost = second_page[fault.odd_day : fault.odd_day + 1]
    elif "still to come" in fault.kept:
        lost = days[-1:]
    tokens = honest_tokens()
    for day in lost:
        del tokens[iso(day)[:10]]
    if fault.extra:
        tokens[iso(second_page[0])[:10]] += tokens_of(second_page[0]) * 4 // 5
    return tokens


def waits_of(rig: FaultRig, fault: Fault) -> str:
    """Check the waits against the retry policy; return their text for the page."""
    waited = rig.waits.seconds
    if fault.waits is not None:
        assert waited == fault.waits
        return f"{len(waited)} × {waited[0]:g} s" if waited else "–"
    assert len(waited) == fault.tries - 1
    assert all(0 <= one <= bound for one, bound in zip(waited, BOUNDS, strict=False))
    return f"up to {', '.join(f'{bound:g}' for bound in BOUNDS[: len(waited)])} s" if waited else "–"


def check_requests(rig: FaultRig, fault: Fault) -> int:
    """Check that no more requests arrived than the policy allows; return their number."""
    requests = rig.server.usage_requests()
    assert [start_of(one) for one in requests[:FIRST_PAGES]] == [SEPTEMBER, SEPTEMBER, AUGUST]
    faulty = [one for one in requests if start_of(one) == AUGUST and cursor_of(one)]
    assert len(faulty) == (0 if fault.way else fault.tries)
    july = [one for one in requests if start_of(one) == JULY]
    assert len(july) == (0 if fault.kept == UP_TO_HERE else 2)
    assert len(requests) == FIRST_PAGES + len(faulty) + len(july) + fault.probes
    assert rig.elsewhere.requests == []
    assert not rig.elsewhere.received
    return len(requests)


def check_only_the_rest_is_requested(rig: FaultRig, fault: Fault) -> None:
    """Check that the second run requested only the incomplete windows."""
    first = AUGUST + PAGE * DAY
    starts = {start_of(one) for one in rig.server.usage_requests()}
    if "still to come" in fault.kept:
        assert starts == {SEPTEMBER + 26 * DAY}  # days that may have grown since the server's today
    elif not fault.title:
        assert not starts
    elif fault.kept == UP_TO_HERE:
        assert starts == {first, JULY}
    elif fault.kept == ALL_BUT_A_PAGE:
        assert starts == {first}
    else:
        assert starts == {first + fault.odd_day * DAY}


@each_fault()
def test_table(rig: FaultRig, fault: Fault, results: ResultsPage) -> None:
    begin(rig, fault)
    printed = rig.table()
    requests, waits = check_requests(rig, fault), waits_of(rig, fault)
    assert printed.tokens == expected(fault)
    user_reads, kept = check_printed(printed, fault)
    results.check(fault, user_reads=user_reads, requests=requests, waits=waits, kept=kept, exit=printed.status)
    if fault.note.startswith("This computer's clock"):
        assert fault.note in printed.err

    rig.mend(fault)
    again = rig.table()
    check_only_the_rest_is_requested(rig, fault)
    assert again.status == 0
    assert again.tokens == (expected(fault) if fault.extra else honest_tokens())


def check_printed(printed: Printed, fault: Fault) -> tuple[str, str]:
    """Check the output; return its texts for the page: the message, and the kept days."""
    assert KEY not in printed.err + printed.out
    assert "Traceback" not in printed.err
    note = f" ({fault.note})" if fault.note and not fault.clock_error else ""
    if not fault.title:
        assert printed.status == 0
        assert "Incomplete" not in printed.err
        return f"nothing: all is well{note}", fault.kept
    assert printed.status == 3
    first, hint, third = printed.err.splitlines()[:3]
    title = first.removeprefix("usage-viewer: ").partition(" (")[0]
    assert (title, hint) == (fault.title, fault.hint)
    kept = summary_of(third)
    assert kept == fault.kept
    assert third.startswith("Incomplete: ")
    return f"**{title}.** {hint}{note}", kept


@each_fault()
def test_window(rig: FaultRig, qtbot: QtBot, fault: Fault, results: ResultsPage) -> None:
    rig.qtbot = qtbot
    begin(rig, fault)
    window = rig.window()
    check_requests(rig, fault)
    waits_of(rig, fault)
    kept = summary_of(window.page.status.text)
    if fault.clock_error:
        assert fault.note in window.page.status.text
    results.check(fault, status_line=kept + (f" · {fault.note}" if fault.clock_error else ""))
    assert kept == fault.kept
    assert shown_tokens(window.page.model.table) == expected(fault)
    banner = window.page.banner
    if not fault.title:
        assert not banner.isVisible()
        assert window.page.totals.label.startswith("Total of")
        return
    assert banner.isVisible()
    assert banner.error is not None
    assert (banner.error.title, banner.error.hint) == (fault.title, fault.hint)
    assert window.page.totals.label.startswith(f"{fault.kept} loaded: ")
    offered = {one.text().replace("&", "") for one in banner.findChildren(QPushButton) if one.isVisible()}
    assert offered == {"Retry", *(["Enter another key"] if isinstance(banner.error, CredentialError) else [])}

    rig.mend(fault)
    rig.settle(window, button(window, "Retry").click)
    check_only_the_rest_is_requested(rig, fault)
    assert not banner.isVisible()
    assert summary_of(window.page.status.text) == ALL
    assert window.page.totals.label.startswith("Total of")
    assert shown_tokens(window.page.model.table) == honest_tokens()


def button(window: WindowUnderTest, text: str) -> QPushButton:
    return next(one for one in window.page.banner.findChildren(QPushButton) if text in one.text().replace("&", ""))


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.passing], ids=lambda fault: fault.name)
def test_passing_fault_is_retried_without_a_message(rig: FaultRig, fault: Fault) -> None:
    begin(rig, fault)
    rig.server.times = fault.tries - 1
    printed = rig.table()
    assert printed.status == 0
    assert printed.err == ""
    assert printed.tokens == honest_tokens()
    assert len(rig.waits.seconds) == fault.tries - 1
