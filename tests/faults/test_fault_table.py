"""Every fault of the table, against `table` and against the window; what they did becomes the page RESULTS.md."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from tests.faults.conftest import HOST, Desk, Printed, honest_tokens, shown_tokens, summary_of
from tests.faults.fault_cases import ALL, ALL_BUT_A_PAGE, FAULTS, UP_TO_HERE, Fault
from tests.faults.usage_wire import AUGUST, DAY, JULY, KEY, OCTOBER_2, PAGE, SEPTEMBER, tokens_of
from tests.rigs.window import WindowUnderTest
from usage_viewer.domain.errors import CredentialError
from usage_viewer.domain.zones import iso

RESULTS = Path(__file__).with_name("RESULTS.md")
RENEW = "RENEW_FAULT_RESULTS"
BOUNDS = [0.5, 1.0, 2.0, 4.0, 8.0]
"""The longest waits of the program's own."""

FIRST_PAGES = 3  # of September (2) and of August (1): what is asked for before the request that misbehaves


@dataclass
class Outcome:
    """What a fault came to, as far as it belongs on the page."""

    title: str = ""
    hint: str = ""
    requests: int = 0
    waits: str = ""
    kept: str = ""
    exit: int = -1
    status_line: str = ""
    window: tuple[str, str] = ("", "")


@dataclass
class Outcomes:
    by_fault: dict[str, Outcome] = field(default_factory=dict)

    def of(self, fault: Fault) -> Outcome:
        return self.by_fault.setdefault(fault.name, Outcome())


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    return Outcomes()


@pytest.fixture
def ready(desk: Desk) -> Desk:
    desk.server.listen()
    return desk


def each_fault() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])


def begin(desk: Desk, fault: Fault) -> None:
    if fault.way == "dns":  # a name needs https
        desk.server.context = desk.authority.context(HOST)
    desk.server.listen()
    desk.misbehave(fault)


def expected(fault: Fault) -> dict[str, int]:
    """Input tokens by date of what is kept."""
    days = list(range(JULY, OCTOBER_2, DAY))
    second_page = [AUGUST + number * DAY for number in range(PAGE, 31)]
    lost: list[int] = []
    if fault.kept == ALL_BUT_A_PAGE:
        lost = second_page
    elif fault.kept == UP_TO_HERE:
        lost = [*range(JULY, AUGUST, DAY), *second_page]
    elif fault.kept.startswith("92 of 93"):
        lost = second_page[4:5]
    elif "still to come" in fault.kept:
        lost = days[-1:]
    tokens = honest_tokens()
    for day in lost:
        del tokens[iso(day)[:10]]
    if fault.extra:
        tokens[iso(second_page[0])[:10]] += tokens_of(second_page[0]) * 4 // 5
    return tokens


def waits_of(desk: Desk, fault: Fault) -> str:
    """As the page has them; checked against the policy."""
    waited = desk.waits.seconds
    if fault.waits is not None:
        assert waited == fault.waits
        return f"{len(waited)} × {waited[0]:g} s" if waited else "–"
    assert len(waited) == fault.tries - 1
    assert all(0 <= one <= bound for one, bound in zip(waited, BOUNDS, strict=False))
    return f"up to {', '.join(f'{bound:g}' for bound in BOUNDS[: len(waited)])} s" if waited else "–"


def check_requests(desk: Desk, fault: Fault) -> int:
    """Requests for usage that arrived, none more than the policy allows."""
    asked = desk.server.usage_requests()
    assert [one.start for one in asked[:FIRST_PAGES]] == [SEPTEMBER, SEPTEMBER, AUGUST]
    faulty = [one for one in asked if one.start == AUGUST and one.cursor]
    assert len(faulty) == (0 if fault.way else fault.tries)
    july = [one for one in asked if one.start == JULY]
    assert len(july) == (0 if fault.kept == UP_TO_HERE else 2)
    assert len(asked) == FIRST_PAGES + len(faulty) + len(july) + fault.probes
    assert desk.elsewhere.asked == []
    assert not desk.elsewhere.heard
    return len(asked)


def check_the_rest_is_asked_for(desk: Desk, fault: Fault) -> None:
    """After a second try: the windows that lacked something, and nothing else."""
    first = AUGUST + PAGE * DAY
    starts = {one.start for one in desk.server.usage_requests()}
    if "still to come" in fault.kept:
        assert starts == {SEPTEMBER + 26 * DAY}  # what may have grown since the server's today
    elif not fault.title:
        assert not starts
    elif fault.kept == UP_TO_HERE:
        assert starts == {first, JULY}
    elif fault.kept == ALL_BUT_A_PAGE:
        assert starts == {first}
    else:
        assert starts == {first + 4 * DAY}


@each_fault()
def test_table(desk: Desk, fault: Fault, outcomes: Outcomes) -> None:
    begin(desk, fault)
    printed = desk.table()
    outcome = outcomes.of(fault)
    outcome.requests, outcome.waits = check_requests(desk, fault), waits_of(desk, fault)
    outcome.exit = printed.status
    assert printed.tokens == expected(fault)
    check_what_is_said(printed, fault, outcome)
    if fault.note.startswith("This computer's clock"):
        assert fault.note in printed.err

    desk.mend(fault)
    again = desk.table()
    check_the_rest_is_asked_for(desk, fault)
    assert again.status == 0
    assert again.tokens == (expected(fault) if fault.extra else honest_tokens())


def check_what_is_said(printed: Printed, fault: Fault, outcome: Outcome) -> None:
    assert KEY not in printed.err + printed.out
    assert "Traceback" not in printed.err
    if not fault.title:
        assert printed.status == 0
        assert "Incomplete" not in printed.err
        outcome.kept = fault.kept
        return
    assert printed.status == 3
    first, hint, third = printed.err.splitlines()[:3]
    outcome.title, outcome.hint = first.removeprefix("usage-viewer: ").partition(" (")[0], hint
    assert (outcome.title, outcome.hint) == (fault.title, fault.hint)
    outcome.kept = summary_of(third)
    assert outcome.kept == fault.kept
    assert third.startswith("Incomplete: ")


@each_fault()
def test_window(desk: Desk, qtbot: QtBot, fault: Fault, outcomes: Outcomes) -> None:
    desk.qtbot = qtbot
    begin(desk, fault)
    window = desk.window()
    outcome = outcomes.of(fault)
    check_requests(desk, fault)
    waits_of(desk, fault)
    held = summary_of(window.page.status.text)
    outcome.status_line = held + (f" · {fault.note}" if fault.clock_error else "")
    assert outcome.status_line.partition(" · ")[2] in window.page.status.text
    assert held == fault.kept
    assert shown_tokens(window.page.model.table) == expected(fault)
    banner = window.page.banner
    if not fault.title:
        assert not banner.isVisible()
        assert window.page.totals.label.startswith("Total of")
        return
    assert banner.isVisible()
    assert banner.error is not None
    outcome.window = (banner.error.title, banner.error.hint)
    assert outcome.window == (fault.title, fault.hint)
    assert window.page.totals.label.startswith(f"{fault.kept}: ")
    offered = {one.text().replace("&", "") for one in banner.findChildren(QPushButton) if one.isVisible()}
    assert offered == {"Retry", *(["Enter another key"] if isinstance(banner.error, CredentialError) else [])}

    desk.mend(fault)
    desk.settle(window, button(window, "Retry").click)
    check_the_rest_is_asked_for(desk, fault)
    assert not banner.isVisible()
    assert summary_of(window.page.status.text) == ALL
    assert window.page.totals.label.startswith("Total of")
    assert shown_tokens(window.page.model.table) == honest_tokens()


def button(window: WindowUnderTest, text: str) -> QPushButton:
    return next(one for one in window.page.banner.findChildren(QPushButton) if text in one.text().replace("&", ""))


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.passing], ids=lambda fault: fault.name)
def test_what_passes_by_itself_is_not_noticed(desk: Desk, fault: Fault) -> None:
    begin(desk, fault)
    desk.server.times = fault.tries - 1
    printed = desk.table()
    assert printed.status == 0
    assert printed.err == ""
    assert printed.tokens == honest_tokens()
    assert len(desk.waits.seconds) == fault.tries - 1


def page(outcomes: Outcomes) -> Iterator[str]:
    yield "# The network and the server at their worst\n"
    yield "Written by `test_fault_table.py`, which runs each fault against `table` and against the window. The"
    yield "range is 93 days, asked for in three windows of two pages each, the newest first; what misbehaves is the"
    yield "second page of the middle one. *Requests* are all that arrived; *waits* are between tries. After each"
    yield "fault the server is mended: *Retry*, or the same command again, asks only for what is missing, and"
    yield "all is complete.\n"
    heads = ("Fault", "What the user reads", "Requests", "Waits", "Kept", "Exit of `table`", "Status line")
    yield f"| {' | '.join(heads)} |"
    yield "|---|---|---:|---|---|---:|---|"
    for fault in FAULTS:
        one = outcomes.of(fault)
        told = f"**{one.title}.** {one.hint}" if one.title else "nothing: all is well"
        told += f" ({fault.note})" if fault.note and not fault.clock_error else ""
        cells = (fault.name, told, one.requests, one.waits, one.kept, one.exit, one.status_line)
        yield f"| {' | '.join(str(cell) for cell in cells)} |"


def test_the_page_of_results_is_up_to_date(outcomes: Outcomes) -> None:
    done = [one for one in outcomes.by_fault.values() if one.exit >= 0 and one.status_line]
    if len(done) < len(FAULTS):
        pytest.skip("not every fault was run to its end")
    text = "\n".join(page(outcomes)) + "\n"
    if os.environ.get(RENEW):
        RESULTS.write_text(text, encoding="utf-8")
    written = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    assert written == text, f"{RESULTS.name} is not what this run came to; run it with {RENEW}=1 to renew it"
