"""Tests verification in the window against a real server: badges, unfinished periods, changes and sources."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.rigs.window import WindowRig, WindowUnderTest
from usage_viewer.demo.server.faults import Fault, Faults, Request
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.verification import Bucket
from usage_viewer.domain.view import FIRST_VIEW
from usage_viewer.gui.verification.record_dialog import RecordDialog
from usage_viewer.gui.verification.record_lists import ChangesDialog
from usage_viewer.gui.verification.verification_badge import VerificationPopup

DAY = 86400


def edited(change: Callable[[Any], None], *, grouped: bool = True) -> Faults:
    """Return faults that change each bucket of the server's usage responses, `grouped` or without grouping."""

    def edit(answer: Any) -> Any:
        for bucket in answer["data"]:
            change(bucket)
        return answer

    def faults(request: Request) -> Fault | None:
        is_match = "start_time" in request.query and ("group_by" in request.query) is grouped
        return Fault(edit=edit) if is_match else None

    return faults


@pytest.fixture
def day(rig: WindowRig) -> int:
    """Return the start of a final day within the last 30 days, in epoch seconds."""
    now = int(rig.clock())
    return now - now % DAY - 12 * DAY


def drop_record(day: int) -> Faults:
    """Remove the last record of a day from grouped responses."""
    return edited(lambda bucket: bucket["results"].pop() if bucket["start_time"] == day else None)


def break_identity(day: int) -> Faults:
    """Make the output tokens of one record of a day 3 larger than the sum of their parts."""

    def change(bucket: Any) -> None:
        if bucket["start_time"] == day:
            bucket["results"][0]["output_tokens"] += 3

    return edited(change)


def lists(window: WindowUnderTest) -> list[RecordDialog]:
    return [dialog for dialog in window.findChildren(RecordDialog) if dialog.isVisible()]


def texts(listing: RecordDialog) -> list[list[str]]:
    return [[field.text(row) for field in listing.model.fields] for row in listing.model.rows]


def total(window: WindowUnderTest, name: str) -> Any:
    column = window.page.model.table.by_name[name]
    assert isinstance(column, FigureColumn)
    return column.total


class TestComplete:
    def test_complete_load_is_verified(self, rig: WindowRig) -> None:
        window = rig.start()
        assert window.page.status.badge.text().startswith("Verified ")
        ungrouped = [
            request
            for request in rig.server.requests
            if "start_time" in request.query and "group_by" not in request.query
        ]
        assert len(ungrouped) <= 1 + 1  # possibly the check of the key, and one for the verification

    def test_other_grouping_needs_no_request(self, rig: WindowRig) -> None:
        window = rig.start()
        rig.server.requests.clear()
        rig.settle(window, lambda: window.workspace.show_view(window.workspace.view.toggled("project_id")))
        assert window.page.status.badge.text().startswith("Verified ")
        assert rig.server.requests == []

    def test_missing_record_is_found_listed_and_downloaded_again(
        self, rig: WindowRig, qtbot: QtBot, day: int
    ) -> None:
        rig.server.faults = drop_record(day)
        window = rig.start()
        seal = window.page.status.badge
        assert seal.text() == "Totals differ"
        before = total(window, "num_model_requests")
        qtbot.mouseClick(seal, Qt.MouseButton.LeftButton)
        (popup,) = seal.findChildren(VerificationPopup)
        qtbot.mouseClick(popup.differences_button, Qt.MouseButton.LeftButton)
        (listing,) = lists(window)
        row = list(rig.server.organization.rows("completions", day, day + DAY, BucketWidth.DAY, int(rig.clock())))[
            -1
        ]
        assert {row[0] for row in texts(listing)} == {texts(listing)[0][0]}
        assert texts(listing)[0][5] == f"−{row['num_model_requests']:,}"
        listing.close()
        rig.server.faults = None
        qtbot.mouseClick(seal, Qt.MouseButton.LeftButton)
        popup = next(item for item in seal.findChildren(VerificationPopup) if item.isVisible())
        rig.settle(window, lambda: qtbot.mouseClick(popup.refetch_button, Qt.MouseButton.LeftButton))
        assert seal.text().startswith("Verified ")
        assert total(window, "num_model_requests") >= before + row["num_model_requests"]

    def test_failed_verification_shows_reason_and_can_be_repeated(self, rig: WindowRig, qtbot: QtBot) -> None:
        def failing(request: Request) -> Fault | None:
            is_verification = request.query.get("bucket_width") == ["1d"] and "group_by" not in request.query
            return Fault(status=404) if is_verification else None

        rig.server.faults = failing
        window = rig.start()
        seal = window.page.status.badge
        assert seal.text() == "Not verified yet"
        assert "The last verification failed" in seal.toolTip()
        assert not window.page.banner.isVisible()
        rig.server.faults = None
        rig.settle(window, lambda: qtbot.mouseClick(seal, Qt.MouseButton.LeftButton))
        assert seal.text().startswith("Verified ")

    def test_growth_during_verification_is_no_difference(self, rig: WindowRig) -> None:
        rig.clock.now = rig.clock.now // DAY * DAY - DAY / 2
        window = rig.start()
        before = total(window, "num_model_requests")
        rig.clock.ahead = 290  # too short for an automatic download of the days that may change
        rig.settle(window, window.verifier.verify)
        assert window.page.status.badge.text().startswith("Verified ")
        assert total(window, "num_model_requests") > before

    def test_change_of_range_stops_verification(self, rig: WindowRig) -> None:
        window = rig.start()
        rig.server.latency = 0.4
        window.verifier.verify()
        assert window.page.status.badge.text() == "Verifying…"
        shorter = replace(window.workspace.view, range=DateRange(preset=None, **_last_week(rig)))
        rig.settle(window, lambda: window.workspace.show_view(shorter))
        assert not window.verifier.state.verifying
        assert window.page.status.badge.text().startswith("Verified ")  # part of the range that was verified first


def _last_week(rig: WindowRig) -> dict[str, datetime]:
    today = datetime.fromtimestamp(rig.clock(), UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    return {"start": today - timedelta(days=14), "end": today - timedelta(days=7)}


class TestIdentities:
    def test_broken_identity_is_marked_and_listed(self, rig: WindowRig, qtbot: QtBot, day: int) -> None:
        rig.server.faults = break_identity(day)
        window = rig.start()
        mark = window.parts.verification.identity_badge
        assert mark.isVisible()
        assert mark.text() == "1"
        qtbot.mouseClick(mark, Qt.MouseButton.LeftButton)
        (listing,) = lists(window)
        (row,) = texts(listing)
        assert row[1] == "Output"
        assert row[4] == "3"
        listing.close()

    def test_identity_badge_follows_filter_and_download(self, rig: WindowRig, day: int) -> None:
        rig.server.faults = break_identity(day)
        window = rig.start()
        model = window.verifier.broken_identities.listed[0].combination[3]
        rig.settle(window, lambda: window.workspace.show_view(window.workspace.view.excluding("model", model)))
        assert not window.parts.verification.identity_badge.isVisible()
        rig.settle(window, lambda: window.workspace.show_view(window.workspace.view.without_filters()))
        assert window.parts.verification.identity_badge.isVisible()
        rig.server.faults = None
        rig.settle(window, lambda: window.verifier.refetch([Bucket(day, BucketWidth.DAY)]))
        assert not window.parts.verification.identity_badge.isVisible()


class TestChanges:
    def test_periods_that_are_not_final_are_marked(self, rig: WindowRig) -> None:
        window = rig.start()
        rig.settle(
            window,
            lambda: window.workspace.show_view(
                replace(window.workspace.view, per=Granularity.DAY, grouping=(), order=())
            ),
        )
        model = window.page.model
        labels = [model.data(model.index(row, 0)) for row in range(model.rowCount())]
        assert [label.endswith(" · may still change") for label in labels] == [False] * 26 + [True] * 3 + [False]
        assert [label.endswith(" · in progress") for label in labels] == [False] * 29 + [True]
        tips = [model.data(model.index(row, 0), Qt.ItemDataRole.ToolTipRole) for row in (3, 28, 29)]
        assert ["may still change" in tip for tip in tips] == [False, True, False]
        assert ["In progress" in tip for tip in tips] == [False, False, True]
        rig.qtbot.keyClick(window.page.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        with rig.qtbot.waitSignal(window.copying.done):
            window.commands.copy.trigger()
        assert "may still change" not in QApplication.clipboard().text()

    def test_restated_figures_list_changes_of_download(self, rig: WindowRig, qtbot: QtBot, day: int) -> None:
        rig.server.faults = drop_record(day)
        window = rig.start()
        row = list(rig.server.organization.rows("completions", day, day + DAY, BucketWidth.DAY, int(rig.clock())))[
            -1
        ]
        rig.server.faults = None
        rig.settle(window, lambda: window.verifier.refetch(window.verifier.state.completeness.differing))
        with qtbot.waitSignal(window.verifier.changes_found):
            window.commands.changes.trigger()
        (listing,) = lists(window)
        assert isinstance(listing, ChangesDialog)
        listing.status_choice.setCurrentIndex(1)
        final = texts(listing)
        assert {line[5] for line in final} == {"final"}
        assert "final figures have changed since they were loaded (last 30 days)." in listing.intro.text()
        requests = next(line for line in final if line[2] == "Requests")
        assert requests[3:5] == ["–", f"{row['num_model_requests']:,}"]
        assert "which" not in requests[6]
        with qtbot.waitSignal(window.verifier.changes_found):
            listing.range_choice.setCurrentIndex(1)
        assert texts(listing) == final
        listing.close()

    def test_restated_figures_without_changes(self, rig: WindowRig, qtbot: QtBot) -> None:
        window = rig.start()
        with qtbot.waitSignal(window.verifier.changes_found):
            window.commands.changes.trigger()
        (listing,) = lists(window)
        assert listing.intro.text() == (
            "Completions: no figure has changed since it was loaded. "
            "Figures of the last 3 days can still grow; older ones should not change."
        )
        assert listing.empty_label.text() == "No changes"
        listing.close()

    def test_list_shows_the_dataset_that_it_was_opened_for(self, rig: WindowRig, qtbot: QtBot, day: int) -> None:
        rig.server.faults = drop_record(day)
        window = rig.start()
        rig.server.faults = None
        rig.settle(window, lambda: window.verifier.refetch(window.verifier.state.completeness.differing))
        with qtbot.waitSignal(window.verifier.changes_found):
            window.commands.changes.trigger()
        rig.show(window, window.view.with_dataset("costs"))
        with qtbot.waitSignal(window.verifier.changes_found):
            window.commands.changes.trigger()
        first, second = lists(window)
        assert isinstance(first, ChangesDialog)
        with qtbot.waitSignal(window.verifier.changes_found):
            first.range_choice.setCurrentIndex(1)
        assert "Requests" in {line[2] for line in texts(first)}
        assert first.intro.text().startswith("Completions: ")
        assert second.intro.text().startswith("Costs: no figure")
        for listing in (first, second):
            listing.close()

    def test_result_after_list_was_closed_is_ignored(self, rig: WindowRig, qtbot: QtBot) -> None:
        window = rig.start()
        with qtbot.waitSignal(window.verifier.changes_found):
            window.parts.verification.list_changes().close()
        qtbot.wait(50)
        assert lists(window) == []


class TestSources:
    def test_sources_sum_up_to_cell(self, rig: WindowRig, qtbot: QtBot) -> None:
        window = rig.start()
        table, model = window.page.table, window.page.model
        table.setCurrentIndex(model.index(2, model.section("input_tokens")))
        with qtbot.waitSignal(window.verifier.sources_found) as found:
            qtbot.keyClick(table, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
        (sources,) = found.args or [None]
        assert sources is not None
        row = int(model.rows[2])
        column = model.table.by_name["input_tokens"]
        assert isinstance(column, FigureColumn)
        assert sum(item.figures[0] or 0 for item in sources.contributions) == column.figures.at(row)
        (listing,) = lists(window)
        assert len(texts(listing)) == 30
        records = sum(item.rows for item in sources.contributions)
        assert f"{records} records from 30 days" in listing.intro.text().replace(",", "")
        assert listing.intro.text().splitlines()[0] == model.data(model.index(2, 0))
        listing.close()

    @pytest.mark.parametrize(
        ("column", "heads"),
        [("cached_share", ["Cached", "Input"]), ("model", ["Requests", "Input", "Cached", "Output"])],
    )
    def test_sources_of_computed_column_show_its_parts(
        self, rig: WindowRig, qtbot: QtBot, column: str, heads: list[str]
    ) -> None:
        window = rig.start()
        model = window.page.model
        menu = window.page.table.cell_menu(model.index(0, model.section(column)))
        entry = next(action for action in menu.actions() if "sources" in action.text().replace("&", ""))
        with qtbot.waitSignal(window.verifier.sources_found):
            entry.trigger()
        (listing,) = lists(window)
        assert [field.title for field in listing.model.fields][3:-2] == heads
        listing.close()
        menu.deleteLater()

    def test_sources_are_of_shown_table_while_another_dataset_loads(self, rig: WindowRig, qtbot: QtBot) -> None:
        window = rig.start()
        table, model = window.page.table, window.page.model
        table.setCurrentIndex(model.index(0, model.section("input_tokens")))
        with qtbot.waitSignal(window.verifier.sources_found):
            window.workspace.show_view(FIRST_VIEW.with_dataset("costs"))  # its table comes with the event loop
            window.commands.origins.trigger()
        (listing,) = lists(window)
        assert "Input" in [field.title for field in listing.model.fields]
        listing.close()

    def test_no_sources_without_current_cell(self, rig: WindowRig, qtbot: QtBot) -> None:
        window = rig.start()
        window.page.table.setCurrentIndex(window.page.model.index(-1, -1))
        with qtbot.assertNotEmitted(window.verifier.sources_found, wait=100):
            window.commands.origins.trigger()


def test_badges_can_be_clicked(rig: WindowRig, day: int) -> None:
    rig.server.faults = break_identity(day)
    window = rig.start()
    for widget in (window.page.status.badge, window.parts.verification.identity_badge):
        centre = widget.mapTo(window, QPoint(widget.width() // 2, widget.height() // 2))
        assert window.childAt(centre) is widget
