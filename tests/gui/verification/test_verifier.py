"""The window proves what it shows: seal, totals' mark, periods so far, changes, origins; on a real server."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from usage_viewer.demo.server.faults import Fault, Faults, Request
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.verification import Bucket, Verdict
from usage_viewer.gui.verification.record_dialog import RecordDialog
from usage_viewer.gui.verification.record_lists import ChangesList
from usage_viewer.gui.verification.verification_badge import VerificationPopup
from usage_viewer.gui.window.main_window import MainWindow

if TYPE_CHECKING:
    from tests.rigs.window import Desk

DAY = 86400


def edited(change: Callable[[Any], None], *, grouped: bool = True) -> Faults:
    """Changes each bucket of the server's answers about usage."""

    def edit(answer: Any) -> Any:
        for bucket in answer["data"]:
            change(bucket)
        return answer

    def faults(request: Request) -> Fault | None:
        asked = "start_time" in request.query and ("group_by" in request.query) is grouped
        return Fault(edit=edit) if asked else None

    return faults


@pytest.fixture
def day(desk: "Desk") -> int:
    """A settled day within the last 30."""
    now = int(desk.clock())
    return now - now % DAY - 12 * DAY


def dropping(day: int) -> Faults:
    return edited(lambda bucket: bucket["results"].pop() if bucket["start_time"] == day else None)


def bending(day: int) -> Faults:
    def bend(bucket: Any) -> None:
        if bucket["start_time"] == day:
            bucket["results"][0]["output_tokens"] += 3

    return edited(bend)


def lists(window: MainWindow) -> list[RecordDialog]:
    return [dialog for dialog in window.findChildren(RecordDialog) if dialog.isVisible()]


def texts(listing: RecordDialog) -> list[list[str]]:
    return [[field.text(row) for field in listing.model.fields] for row in listing.model.rows]


def total(window: MainWindow, name: str) -> Any:
    column = window.page.model.table.by_name[name]
    assert isinstance(column, FigureColumn)
    return column.total


class TestComplete:
    def test_each_full_load_is_proven(self, desk: "Desk") -> None:
        window = desk.start()
        assert window.page.status.seal.text() == "Proven"
        ungrouped = [
            asked for asked in desk.server.requests if "start_time" in asked.query and "group_by" not in asked.query
        ]
        assert len(ungrouped) <= 1 + 1  # the check of the key, perhaps, and one for the proof

    def test_another_grouping_needs_no_call(self, desk: "Desk") -> None:
        window = desk.start()
        desk.server.requests.clear()
        desk.settle(window, lambda: window.workspace.show_view(window.workspace.view.toggled("project_id")))
        assert window.page.status.seal.text() == "Proven"
        assert desk.server.requests == []

    def test_a_dropped_row_is_found_shown_and_fetched_again(self, desk: "Desk", qtbot: QtBot, day: int) -> None:
        desk.server.faults = dropping(day)
        window = desk.start()
        seal = window.page.status.seal
        assert seal.text() == "Differs"
        before = total(window, "num_model_requests")
        qtbot.mouseClick(seal, Qt.MouseButton.LeftButton)
        (popup,) = seal.findChildren(VerificationPopup)
        qtbot.mouseClick(popup.all, Qt.MouseButton.LeftButton)
        (listing,) = lists(window)
        row = list(
            desk.server.organization.rows("completions", day, day + DAY, BucketWidth.DAY, int(desk.clock()))
        )[-1]
        assert {row[0] for row in texts(listing)} == {texts(listing)[0][0]}
        assert texts(listing)[0][5] == f"-{row['num_model_requests']:,}"
        listing.close()
        desk.server.faults = None
        qtbot.mouseClick(seal, Qt.MouseButton.LeftButton)
        popup = next(one for one in seal.findChildren(VerificationPopup) if one.isVisible())
        desk.settle(window, lambda: qtbot.mouseClick(popup.refetch, Qt.MouseButton.LeftButton))
        assert seal.text() == "Proven"
        assert total(window, "num_model_requests") >= before + row["num_model_requests"]

    def test_a_check_that_fails_says_why_and_can_be_made_again(self, desk: "Desk", qtbot: QtBot) -> None:
        def failing(request: Request) -> Fault | None:
            proof = request.query.get("bucket_width") == ["1d"] and "group_by" not in request.query
            return Fault(status=404) if proof else None

        desk.server.faults = failing
        window = desk.start()
        seal = window.page.status.seal
        assert seal.text() == "Not yet checked"
        assert "The last check failed" in seal.toolTip()
        assert not window.page.banner.isVisible()
        desk.server.faults = None
        desk.settle(window, lambda: qtbot.mouseClick(seal, Qt.MouseButton.LeftButton))
        assert seal.text() == "Proven"

    def test_growth_is_no_difference(self, desk: "Desk") -> None:
        desk.clock.now = desk.clock.now // DAY * DAY - DAY / 2
        window = desk.start()
        before = total(window, "num_model_requests")
        desk.clock.ahead = 290  # not yet long enough for what is open to be fetched again by itself
        desk.settle(window, window.proofs.check)
        assert window.page.status.seal.text() == "Proven"
        assert total(window, "num_model_requests") > before

    def test_what_is_held_from_the_last_time_can_be_checked(self, desk: "Desk", qtbot: QtBot) -> None:
        month = datetime.fromtimestamp(desk.clock(), UTC).replace(tzinfo=None) - timedelta(days=60)
        first = month.replace(hour=0, minute=0, second=0, microsecond=0)
        chosen = DateRange(None, first, first + timedelta(days=20))
        window = desk.start()
        desk.settle(window, lambda: window.workspace.show_view(replace(window.workspace.view, range=chosen)))
        desk.close(window)
        again = desk.start()
        seal = again.page.status.seal
        assert seal.text() == "Not yet checked"
        desk.settle(again, lambda: qtbot.mouseClick(seal, Qt.MouseButton.LeftButton))
        assert again.proofs.standing.completeness.verdict is Verdict.PROVEN

    def test_a_view_that_is_left_is_not_proven_any_more(self, desk: "Desk") -> None:
        window = desk.start()
        desk.server.latency = 0.4
        window.proofs.check()
        assert window.page.status.seal.text() == "Checking…"
        shorter = replace(window.workspace.view, range=DateRange(preset=None, **_last_week(desk)))
        desk.settle(window, lambda: window.workspace.show_view(shorter))
        assert not window.proofs.standing.checking
        assert window.page.status.seal.text() == "Proven"  # a part of what was proven first


def _last_week(desk: "Desk") -> dict[str, datetime]:
    today = datetime.fromtimestamp(desk.clock(), UTC).replace(
        tzinfo=None, hour=0, minute=0, second=0, microsecond=0
    )
    return {"start": today - timedelta(days=14), "end": today - timedelta(days=7)}


class TestConsistent:
    def test_a_bent_count_is_marked_and_listed(self, desk: "Desk", qtbot: QtBot, day: int) -> None:
        desk.server.faults = bending(day)
        window = desk.start()
        mark = window.proof_views.mark
        assert mark.isVisible()
        assert mark.text() == "1"
        qtbot.mouseClick(mark, Qt.MouseButton.LeftButton)
        (listing,) = lists(window)
        (row,) = texts(listing)
        assert row[1] == "Output"
        assert row[4] == "3"
        listing.close()

    def test_the_mark_follows_the_filter_and_goes_when_it_is_mended(self, desk: "Desk", day: int) -> None:
        desk.server.faults = bending(day)
        window = desk.start()
        model = window.proofs.breaches.listed[0].combination[3]
        desk.settle(window, lambda: window.workspace.show_view(window.workspace.view.excluding("model", model)))
        assert not window.proof_views.mark.isVisible()
        desk.settle(window, lambda: window.workspace.show_view(window.workspace.view.without_filters()))
        assert window.proof_views.mark.isVisible()
        desk.server.faults = None
        desk.settle(window, lambda: window.proofs.refetch([Bucket(day, BucketWidth.DAY)]))
        assert not window.proof_views.mark.isVisible()


class TestFresh:
    def test_periods_that_may_grow_say_so(self, desk: "Desk") -> None:
        window = desk.start()
        desk.settle(
            window,
            lambda: window.workspace.show_view(
                replace(window.workspace.view, per=Granularity.DAY, grouping=(), order=())
            ),
        )
        model = window.page.model
        labels = [model.data(model.index(row, 0)) for row in range(model.rowCount())]
        assert [label.endswith(" · may change") for label in labels] == [False] * 26 + [True] * 4
        tip = model.data(model.index(29, 0), Qt.ItemDataRole.ToolTipRole)
        assert "May still change" in tip
        assert "May still change" not in model.data(model.index(3, 0), Qt.ItemDataRole.ToolTipRole)
        desk.qtbot.keyClick(window.page.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        with desk.qtbot.waitSignal(window.copying.done):
            window.actions_.copy.trigger()
        assert "may change" not in QApplication.clipboard().text()

    def test_what_changed_lists_the_cells_of_a_refresh(self, desk: "Desk", qtbot: QtBot, day: int) -> None:
        desk.server.faults = dropping(day)
        window = desk.start()
        row = list(
            desk.server.organization.rows("completions", day, day + DAY, BucketWidth.DAY, int(desk.clock()))
        )[-1]
        desk.server.faults = None
        desk.settle(window, lambda: window.proofs.refetch(window.proofs.standing.completeness.differing))
        with qtbot.waitSignal(window.proofs.changes_found):
            window.actions_.changes.trigger()
        (listing,) = lists(window)
        assert isinstance(listing, ChangesList)
        listing.which.setCurrentIndex(1)
        settled = texts(listing)
        assert {line[5] for line in settled} == {"settled"}
        requests = next(line for line in settled if line[2] == "Requests")
        assert requests[3:5] == ["–", f"{row['num_model_requests']:,}"]
        assert "which" not in requests[6]
        with qtbot.waitSignal(window.proofs.changes_found):
            listing.where.setCurrentIndex(1)
        assert texts(listing) == settled
        listing.close()

    def test_an_answer_that_comes_after_the_list_was_closed_is_let_go(self, desk: "Desk", qtbot: QtBot) -> None:
        window = desk.start()
        with qtbot.waitSignal(window.proofs.changes_found):
            window.proof_views.list_changes().close()
        qtbot.wait(50)
        assert lists(window) == []


class TestOrigins:
    def test_rows_and_sums_equal_the_cell(self, desk: "Desk", qtbot: QtBot) -> None:
        window = desk.start()
        table, model = window.page.table, window.page.model
        table.setCurrentIndex(model.index(2, model.section("input_tokens")))
        with qtbot.waitSignal(window.proofs.origins_found) as found:
            qtbot.keyClick(table, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
        (origins,) = found.args or [None]
        assert origins is not None
        at = int(model.rows[2])
        column = model.table.by_name["input_tokens"]
        assert isinstance(column, FigureColumn)
        assert sum(origin.figures[0] or 0 for origin in origins.listed) == column.figures.at(at)
        (listing,) = lists(window)
        assert len(texts(listing)) == 30
        assert str(sum(origin.rows for origin in origins.listed)) in listing.intro.text().replace(",", "")
        assert listing.intro.text().splitlines()[0] == model.data(model.index(2, 0))
        listing.close()

    @pytest.mark.parametrize(
        ("column", "heads"),
        [("cached_share", ["Cached", "Input"]), ("model", ["Requests", "Input", "Cached", "Output"])],
    )
    def test_shows_the_parts_of_what_is_computed(
        self, desk: "Desk", qtbot: QtBot, column: str, heads: list[str]
    ) -> None:
        window = desk.start()
        model = window.page.model
        menu = window.page.table.cell_menu(model.index(0, model.section(column)))
        entry = next(action for action in menu.actions() if "sources" in action.text())
        with qtbot.waitSignal(window.proofs.origins_found):
            entry.trigger()
        (listing,) = lists(window)
        assert [field.title for field in listing.model.fields][3:-2] == heads
        listing.close()
        menu.deleteLater()

    def test_without_a_cell_nothing_is_asked(self, desk: "Desk", qtbot: QtBot) -> None:
        window = desk.start()
        window.page.table.setCurrentIndex(window.page.model.index(-1, -1))
        with qtbot.assertNotEmitted(window.proofs.origins_found, wait=100):
            window.actions_.origins.trigger()


def test_the_marks_stand_where_a_user_can_press_them(desk: "Desk", day: int) -> None:
    desk.server.faults = bending(day)
    window = desk.start()
    for widget in (window.page.status.seal, window.proof_views.mark):
        centre = widget.mapTo(window, QPoint(widget.width() // 2, widget.height() // 2))
        assert window.childAt(centre) is widget
