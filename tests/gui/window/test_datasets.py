"""Tests every dataset in several zones, and the notices about what is not available."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QLocale

from tests.rigs.window import WindowUnderTest
from usage_viewer.demo.api.access import USAGE_ONLY_KEY
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.cost_figures import COST, has_costs, with_costs
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import FigureColumn, GroupColumn, PeriodColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.clipboard.copy_controller import proposed_name
from usage_viewer.gui.table.columns_menu import ColumnsMenu
from usage_viewer.keystore import MemoryKeystore

ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata")


def show(rig: Any, window: WindowUnderTest, view: ViewState) -> None:
    if view != window.workspace.view:
        rig.settle(window, lambda: window.workspace.show_view(view))


def test_every_dataset_in_every_zone(rig: Any) -> None:
    window: WindowUnderTest = rig.start()
    page = window.page
    for zone in ZONES:
        view = (
            window.workspace.view.with_range(DateRange(Preset.LAST_7_DAYS))
            .with_per(Granularity.DAY)
            .with_zone(zone)
        )
        show(rig, window, view)
        for name, data in DATASETS.items():
            if name != window.workspace.view.dataset_name:
                rig.settle(window, page.dataset.menu_actions[name].trigger)
            assert page.banner.error is None, (name, zone)
            assert window.workspace.last is not None
            look = window.workspace.last.look
            assert look.view.dataset_name == name
            assert look.coverage.complete
            assert page.model.rowCount() > 0, (name, zone)
            (period,) = (column for column in page.model.columns if isinstance(column, PeriodColumn))
            days = len(period.periods)
            shown_zone = "UTC" if name in ("costs", "spend") else zone
            assert (days, period.label) == (7, f"Day ({shown_zone})")
            assert page.zone.accessibleName() == f"Time zone: {shown_zone}"
            assert page.notes.text == (
                f"{data.label} {'is' if name == 'spend' else 'are'} only available per UTC day; shown in UTC."
                if zone != shown_zone
                else ""
            )
            shown = [column.name for column in page.model.columns if isinstance(column, FigureColumn)]
            shows_cost = zone == "UTC" and has_costs(with_costs(data))  # the first dataset shown is spend
            assert shown == [*data.default_columns, *([COST] if shows_cost else [])]
            assert shown_zone.replace("/", "-") in proposed_name(window.workspace.last)
        rig.settle(window, page.dataset.menu_actions["completions"].trigger)


def test_costs_by_hour_are_shown_by_day_with_a_notice(rig: Any) -> None:
    window: WindowUnderTest = rig.start()
    view = ViewState("costs", DateRange(Preset.LAST_7_DAYS), Granularity.HOUR, ("project_id",), zone="Asia/Kolkata")
    show(rig, window, view)
    page = window.page
    assert page.notes.text == "Costs are only available per UTC day; shown by day, in UTC."
    assert not page.notes.isHidden()
    assert (page.per.accessibleName(), page.zone.accessibleName()) == ("Time breakdown: By day", "Time zone: UTC")
    amount = page.model.columns[-1]
    assert amount.label == "Amount (USD)"
    # The requested period and zone still apply to a dataset that has them and was not shown before.
    rig.settle(window, page.dataset.menu_actions["embeddings"].trigger)
    assert (window.workspace.view.per, window.workspace.view.zone) == (Granularity.HOUR, "Asia/Kolkata")
    assert page.notes.text == ""
    assert page.per.accessibleName() == "Time breakdown: By hour"


@pytest.mark.parametrize("status", [403, 404])
def test_unavailable_dataset_is_disabled_and_others_work(rig: Any, status: int) -> None:
    def gone(request: Request) -> Fault | None:
        body = json.dumps({"error": {"message": "Not for this organization."}}).encode()
        return Fault(status=status, body=body) if request.path == DATASETS["images"].path else None

    window: WindowUnderTest = rig.start()
    page = window.page
    rig.server.faults = gone
    rig.settle(window, page.dataset.menu_actions["images"].trigger)
    assert page.banner.error is None
    assert page.empty.isVisible()
    assert page.empty.title == "Images: not available for this organization"
    assert not page.dataset.menu_actions["images"].isEnabled()
    assert "Not for this organization." in page.dataset.menu_actions["images"].toolTip()
    asked = len(rig.server.requests)
    rig.settle(window, page.dataset.menu_actions["embeddings"].trigger)
    assert page.model.rowCount() > 0
    assert not page.dataset.menu_actions["images"].isEnabled()
    assert all(request.path != DATASETS["images"].path for request in rig.server.requests[asked:])
    rig.server.faults = None
    rig.settle(window, window.commands.refresh.trigger)
    assert page.dataset.menu_actions["images"].isEnabled()
    rig.settle(window, page.dataset.menu_actions["images"].trigger)
    assert page.model.rowCount() > 0


def test_missing_permission_for_names_is_a_notice(rig: Any) -> None:
    window: WindowUnderTest = rig.start(lambda: MemoryKeystore(AdminKey.parse(USAGE_ONLY_KEY)))
    page = window.page
    assert page.banner.error is None
    assert page.notes.text.startswith("Some names could not be loaded: the admin key lacks a permission.")
    assert "api.management.read" in page.notes.text
    assert page.model.rowCount() > 0


class TestRefusedPairs:
    @pytest.fixture
    def server(self, organization: SyntheticOrganization) -> Any:
        with DemoServer(organization, refused=RefusedGroupings.of(pairs=[("user_id", "project_id")])) as running:
            yield running

    def test_largest_granted_grouping_is_fetched(self, rig: Any) -> None:
        window: WindowUnderTest = rig.start()
        page = window.page
        show(rig, window, ViewState("costs", grouping=("project_id", "user_id")))
        assert page.banner.error is None
        assert [column.name for column in page.model.columns] == ["project_id", "amount"]
        assert (
            page.notes.text
            == "User together with Project is not available for this organization's costs; shown without User."
        )
        project = page.model.columns[0]
        assert isinstance(project, GroupColumn)
        assert len(project.values) > 1
        assert not page.grouping.chips["line_item"].isHidden()
        rig.settle(window, page.dataset.menu_actions["embeddings"].trigger)
        assert page.notes.text == ""
        assert [column.name for column in page.model.columns][:2] == ["project_id", "user_id"]


def test_unknown_fields_are_offered_as_columns_and_groups(rig: Any, tmp_path: Path) -> None:
    def with_news(answer: Any) -> Any:
        for bucket in answer["data"]:
            for number, result in enumerate(bucket["results"]):
                result |= {"credits_used": 0.25 * number, "region": "eu" if number % 2 else "us"}
        return answer

    rig.server.faults = lambda request: Fault(edit=with_news) if request.path.endswith("/images") else None
    window: WindowUnderTest = rig.start()
    page = window.page
    rig.settle(window, page.dataset.menu_actions["images"].trigger)
    assert page.banner.error is None
    menu = next(iter(page.table.header_menu("images").findChildren(ColumnsMenu)))
    ticks = {action.text().replace("&", ""): action for action in menu.actions()}
    assert {"credits_used", "Group by region"} <= ticks.keys()
    rig.settle(window, ticks["credits_used"].trigger)
    credits = page.model.columns[-1]
    assert isinstance(credits, FigureColumn)
    assert (credits.label, credits.total is not None and credits.total > 0) == ("credits_used", True)
    before = {column.name: column.total for column in page.model.columns if isinstance(column, FigureColumn)}
    rig.settle(window, ticks["Group by region"].trigger)
    region = page.model.columns[1]
    assert isinstance(region, GroupColumn)
    assert set(region.labels) == {"eu", "us"}
    after = {column.name: column.total for column in page.model.columns if isinstance(column, FigureColumn)}
    assert after == before


@pytest.mark.parametrize(("language", "first"), [("en_US", 6), ("de_DE", 0), ("ar_EG", 5)])
def test_weeks_start_on_the_locale_s_first_day(rig: Any, language: str, first: int) -> None:
    before = QLocale()
    QLocale.setDefault(QLocale(language))
    try:
        window: WindowUnderTest = rig.start()
        show(rig, window, window.workspace.view.with_per(Granularity.WEEK))
        assert window.workspace.last is not None
        starts = window.workspace.last.look.coverage.periods.bounds[1:-1].tolist()
        assert {datetime.fromtimestamp(start, UTC).weekday() for start in starts} == {first}
    finally:
        QLocale.setDefault(before)
