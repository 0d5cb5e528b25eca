"""Checks what a session requests, what it answers locally, its names and its threads."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.sessions import DAY, DIMENSIONS, NOW, SessionRig, days, expected_sums, fetch, sums
from usage_viewer.app.fetch.api_source import ApiSource, ConnectionOptions
from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.demo.api.access import USAGE_ONLY_KEY
from usage_viewer.demo.api.limits import Limits
from usage_viewer.demo.server.faults import Fault
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import ScopeMissing
from usage_viewer.domain.network_errors import RateLimited
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import GroupColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey


class TestRequests:
    def test_a_fetch_requests_the_range_with_every_dimension(
        self, rig: SessionRig, organization: SyntheticOrganization
    ) -> None:
        session, view = rig.session(), days("10-01", "10-30", grouping=("model", "project_id"))
        empty_before = session.empty
        steps = fetch(session, view)
        assert (steps[0], steps[-1]) == (Progress(0, 1), Progress(1, 1))
        (request,) = rig.take_requests()
        assert request.path == "/organization/usage/completions"
        assert request.query["group_by"] == list(DIMENSIONS)
        assert request.query["bucket_width"] == ["1d"]
        assert (empty_before, session.empty) == (True, False)
        result = session.look(view, named=False)
        assert result.coverage.complete
        assert result.coverage.summary == "Complete: 30 days"
        assert result.unavailable_dimensions == ()
        assert sums(result) == expected_sums(organization, view)

    def test_a_long_range_is_split_at_the_page_limit(self, rig: SessionRig) -> None:
        session = rig.session()
        fetch(session, days("08-01", "10-10"))
        assert rig.take_windows() == [("08-01", "09-01", 31), ("09-01", "10-02", 31), ("10-02", "10-11", 9)]

    def test_only_missing_buckets_are_requested(self, rig: SessionRig) -> None:
        session = rig.session()
        fetch(session, days("10-10", "10-13"))
        fetch(session, days("10-20", "10-23"))
        rig.take_requests()
        fetch(session, days("10-08", "10-26"))
        assert rig.take_windows() == [("10-08", "10-10", 2), ("10-14", "10-20", 6), ("10-24", "10-27", 3)]

    def test_settled_buckets_are_never_requested_again(self, rig: SessionRig) -> None:
        session, view = rig.session(), days("10-01", "10-30")
        fetch(session, view)
        rig.take_requests()
        for seconds in (0, DAY, 400 * DAY):
            rig.now = NOW + seconds
            assert fetch(session, view, refresh=Refresh.GROWING) == []
        assert rig.take_requests() == []

    def test_another_session_over_the_same_file_requests_nothing(self, server: DemoServer, tmp_path: Path) -> None:
        rig = SessionRig(server, tmp_path / "usage.duckdb")
        view = days("10-01", "10-30")
        first = rig.session()
        fetch(first, view)
        before = sums(first.look(view))
        first.close()
        rig.take_requests()
        second = rig.session(connected=False)
        assert fetch(second, view) == []
        assert sums(second.look(view)) == before
        assert rig.take_requests() == []
        second.close()

    def test_open_buckets_are_requested_again_after_five_minutes(self, rig: SessionRig) -> None:
        session, view = rig.session(), days("11-01", "11-20")
        fetch(session, view)
        rig.take_requests()
        rig.now = NOW + 299
        assert fetch(session, view) == []
        assert session.look(view).coverage.may_grow == 4
        rig.now = NOW + 300
        fetch(session, view)
        # The 16th ended 82.5 hours before.
        assert rig.take_windows() == [("11-17", "11-21", 4)]
        rig.now = NOW + 301
        assert fetch(session, view) == []
        assert rig.take_requests() == []

    def test_open_buckets_are_requested_at_once_on_refresh(self, rig: SessionRig) -> None:
        session, view = rig.session(), days("11-01", "11-20")
        fetch(session, view)
        rig.take_requests()
        fetch(session, view, refresh=Refresh.GROWING)
        assert rig.take_windows() == [("11-17", "11-21", 4)]

    def test_open_buckets_are_requested_once_more_after_they_settle(self, rig: SessionRig) -> None:
        session, view = rig.session(), days("11-01", "11-20")
        fetch(session, view)
        rig.take_requests()
        rig.now = NOW + 10 * DAY
        fetch(session, view)
        assert rig.take_windows() == [("11-17", "11-21", 4)]
        rig.now += DAY
        assert fetch(session, view, refresh=Refresh.GROWING) == []

    def test_grown_buckets_are_shown(self, rig: SessionRig, organization: SyntheticOrganization) -> None:
        session, view = rig.session(), days("11-19", "11-20")
        fetch(session, view)
        before = sums(session.look(view))
        assert before == expected_sums(organization, view)
        rig.now = NOW + 6 * 3600
        fetch(session, view)
        after = sums(session.look(view))
        assert after == expected_sums(organization, view, rig.now)
        assert after != before

    def test_future_buckets_are_not_requested(self, rig: SessionRig) -> None:
        session, view = rig.session(), days("11-19", "12-25")
        fetch(session, view)
        assert rig.take_windows() == [("11-19", "11-21", 2)]
        coverage = session.coverage(view)
        assert coverage.complete
        assert coverage.summary == "Complete: 2 days, 35 still to come"


class TestLocalAnswers:
    CHANGES: tuple[Callable[[ViewState], ViewState], ...] = (
        lambda view: view.with_grouping(()),
        lambda view: view.with_grouping(reversed(DIMENSIONS)),
        lambda view: view.toggled("user_id"),
        lambda view: view.with_filter(Filter("model", frozenset(["gpt-5.1", None]))),
        lambda view: view.with_filter(Filter("batch", frozenset(["true"]), exclude=True)),
        lambda view: replace(view, search="a"),
        lambda view: view.with_order((SortKey("input_tokens", descending=True), SortKey("model"))),
        lambda view: replace(view, columns=tuple(column.name for column in view.dataset.columns)),
        lambda view: view.with_per(Granularity.DAY),
        lambda view: view.with_per(Granularity.WEEK),
        lambda view: view.with_per(Granularity.MONTH),
        lambda view: view.with_range(DateRange.days(datetime(2026, 10, 5).date(), datetime(2026, 10, 9).date())),
    )

    def test_no_other_view_of_stored_buckets_needs_a_request(self, rig: SessionRig) -> None:
        session, view = rig.session(), days("10-01", "10-14")
        fetch(session, view)
        rig.take_requests()
        for change in self.CHANGES:
            changed = change(view)
            assert changed != view
            assert session.look(changed).coverage.complete
            assert fetch(session, changed, refresh=Refresh.GROWING) == []
        assert rig.take_requests() == []

    def test_another_zone_is_answered_from_stored_hours(
        self, rig: SessionRig, organization: SyntheticOrganization
    ) -> None:
        session = rig.session()
        fetch(session, days("10-01", "10-14", per=Granularity.HOUR))
        rig.take_requests()
        view = days("10-05", "10-09", per=Granularity.DAY, zone="Europe/Berlin", grouping=("model",))
        assert fetch(session, view) == []
        assert rig.take_requests() == []
        start = int(datetime(2026, 10, 4, 22, tzinfo=UTC).timestamp())
        rows = organization.rows("completions", start, start + 5 * DAY, BucketWidth.HOUR, NOW)
        assert sum(sums(session.look(view.with_per(Granularity.TOTAL))).values()) == sum(
            row["input_tokens"] for row in rows
        )

    def test_days_are_answered_from_stored_hours(
        self, rig: SessionRig, organization: SyntheticOrganization
    ) -> None:
        session, hours = rig.session(), days("10-01", "10-14", per=Granularity.HOUR)
        fetch(session, hours)
        rig.take_requests()
        view = hours.with_per(Granularity.TOTAL)
        assert fetch(session, view) == []
        assert sums(session.look(view)) == expected_sums(organization, view)
        assert rig.take_requests() == []

    def test_look_sends_no_request(self, rig: SessionRig) -> None:
        session, view = rig.session(), days("10-01", "10-02")
        result = session.look(view)
        assert (result.coverage.stored, result.table.rows) == (0, 0)
        assert session.values("completions", "model") == ()
        assert rig.take_requests() == []


class TestNames:
    def test_names_are_fetched_shown_and_stored(self, server: DemoServer, tmp_path: Path) -> None:
        rig = SessionRig(server, tmp_path / "usage.duckdb")
        first, view = rig.session(), days("10-01", "10-30", grouping=("project_id",))
        fetch(first, view)
        names = first.fetch_names()
        directory = server.organization.directory
        assert {name for kind, name in names.by_id if kind == "project"} <= {item.id for item in directory.projects}
        first.close()
        second = rig.session(connected=False)
        assert second.names == names
        (column,) = [item for item in second.look(view).table.columns if isinstance(item, GroupColumn)]
        named = {project.id: project.name for project in directory.projects if project.deleted is None}
        for value, label in zip(column.values, column.labels, strict=True):
            if value in named:
                assert label.startswith(named[value])
        assert sum(label != value for value, label in zip(column.values, column.labels, strict=True)) > 5
        (raw,) = [item for item in second.look(view, named=False).table.columns if isinstance(item, GroupColumn)]
        assert raw.labels == tuple(value or "(none)" for value in raw.values)
        second.close()

    def test_names_missing_from_every_list_are_marked_as_deleted(self, rig: SessionRig) -> None:
        session = rig.session()
        before = session.fetch_names()
        assert not any(name.deleted for name in before.by_id.values())
        present_users = {user.id for user in rig.server.organization.directory.users if user.deleted is None}
        keys = rig.server.organization.directory.keys
        # A user who is only known as the owner of the key would be marked as deleted too.
        removed_key = next(
            key.id for key in keys if ("api_key", key.id) in before.by_id and key.owner.id in present_users
        )
        rig.server.faults = lambda request: Fault(edit=lambda page: without_item(page, removed_key))
        rig.now += 3600
        after = session.fetch_names()
        deleted = [name.id for name in after.by_id.values() if name.deleted]
        assert deleted == [removed_key]
        rig.server.faults = None
        rig.now += 3600
        assert not any(name.deleted for name in session.fetch_names().by_id.values())

    def test_an_empty_list_marks_every_name_of_its_kind_as_deleted(self, rig: SessionRig) -> None:
        session = rig.session()
        session.fetch_names()
        rig.server.faults = lambda request: (
            Fault(edit=lambda page: {**page, "data": [], "has_more": False})
            if request.path.endswith("api_keys")
            else None
        )
        rig.now += 3600
        after = session.fetch_names()
        assert not any(name.deleted for name in after.by_id.values() if name.kind == "project")
        assert all(name.deleted for name in after.by_id.values() if name.kind == "api_key")

    def test_names_in_costs_are_taken_where_no_list_has_them(self, rig: SessionRig) -> None:
        def named(page: Any) -> Any:
            for bucket in page.get("data", ()):
                for row in bucket.get("results", ()):
                    row |= {"project_name": f"bill of {row.get('project_id')}", "organization_id": "org-1"}
            return page

        rig.server.faults = lambda request: Fault(edit=named) if request.path.endswith("costs") else None
        session, view = rig.session(), days("10-01", "10-05", dataset_name="costs", grouping=("project_id",))
        fetch(session, view)
        (column,) = [item for item in session.look(view).table.columns if isinstance(item, GroupColumn)]
        labels = dict(zip(column.values, column.labels, strict=True))
        assert all(label == f"bill of {id}" for id, label in labels.items() if id is not None)
        assert session.extras("costs").values == ("extra.organization_id",)
        rig.server.faults = None
        listed = session.fetch_names()
        directory = {project.id: project.name for project in rig.server.organization.directory.projects}
        for id in labels:
            if id is not None and id in directory and not listed.by_id["project", id].deleted:
                assert listed.by_id["project", id].name == directory[id]

    def test_names_arrive_under_a_limit_of_7_lists_a_minute(self, organization: SyntheticOrganization) -> None:
        waits: list[float] = []

        def wait(seconds: float) -> bool:
            waits.append(seconds)
            rig.now += seconds
            return False

        with DemoServer(organization, limits=Limits(7), clock=lambda: rig.now) as server:
            rig = SessionRig(server)
            session = rig.session(connected=False)
            session.connect(ApiSource(server.base_url, AdminKey.parse(server.key), ConnectionOptions(wait=wait)))
            unlimited = SessionRig(server)
            for _ in range(6):
                waits.clear()
                notices: list[str] = []
                with suppress(RateLimited):
                    notices += session.load_names()
                assert waits in ([], [60.0])
                assert notices == ["Names are limited by OpenAI; going on in 60 s"] * len(waits)
                rig.now += 60
            server.limits.per_minute = 0
            expected = unlimited.session().fetch_names().by_id
            assert {key for key, name in session.names.by_id.items() if not name.deleted} == set(expected)
            for each in (*rig.sessions, *unlimited.sessions):
                each.close()

    def test_unreadable_lists_mark_no_name_as_deleted(self, rig: SessionRig) -> None:
        session = rig.session()
        before = session.fetch_names()
        rig.connect(session, USAGE_ONLY_KEY)
        rig.now += 3600
        with pytest.raises(ScopeMissing):
            session.fetch_names()
        assert session.names == before

    def test_without_a_source_the_stored_names_are_returned(self, rig: SessionRig) -> None:
        session = rig.session(connected=False)
        assert session.fetch_names() == session.names
        assert rig.take_requests() == []


def without_item(page: dict[str, Any], item_id: str) -> dict[str, Any]:
    return {**page, "data": [item for item in page["data"] if item.get("id") != item_id]}


class TestThreads:
    def test_look_during_a_fetch(self, rig: SessionRig, organization: SyntheticOrganization) -> None:
        session, view = rig.session(), days("05-01", "10-30", grouping=("model",))
        all_sums = expected_sums(organization, view)
        ended = threading.Event()

        def look() -> int:
            count = 0
            while not ended.is_set():
                result = session.look(view)
                assert set(sums(result)) <= set(all_sums)
                assert all(figure <= all_sums[key] for key, figure in sums(result).items())
                count += 1
            return count

        with ThreadPoolExecutor(4) as pool:
            lookers = [pool.submit(look) for _ in range(2)]
            fetchers = [pool.submit(fetch, session, view) for _ in range(2)]
            try:
                for fetcher in fetchers:
                    fetcher.result(60)
            finally:
                ended.set()
            assert all(looker.result(60) for looker in lookers)
        assert session.look(view).coverage.complete
        assert sums(session.look(view)) == all_sums

    def test_erase_removes_all_data_but_not_the_source(self, rig: SessionRig) -> None:
        session, view = rig.session(), days("10-01", "10-02")
        fetch(session, view)
        session.fetch_names()
        session.erase()
        assert session.empty
        assert not session.names.by_id
        assert session.connected
        fetch(session, view)
        assert session.coverage(view).complete

    def test_a_replaced_source_is_closed(self, rig: SessionRig) -> None:
        class CountingSource(ApiSource):
            closed = 0

            def close(self) -> None:
                self.closed += 1
                super().close()

        session = rig.session()
        source = CountingSource(rig.server.base_url, AdminKey.parse(rig.server.key))
        session.connect(source)
        fetch(session, days("10-01", "10-02"))
        rig.connect(session)
        assert source.closed == 1


def test_presets_follow_the_clock_of_the_session(rig: SessionRig) -> None:
    session = rig.session(connected=False)
    assert session.now == NOW
    view = ViewState(per=Granularity.DAY)
    first, _ = view.range.wall(NOW, UTC)
    assert int(session.coverage(view).periods.bounds[0]) == int(first.replace(tzinfo=UTC).timestamp())
    rig.now += timedelta(days=2).total_seconds()
    assert int(session.coverage(view).periods.bounds[0]) == int(first.replace(tzinfo=UTC).timestamp()) + 2 * DAY
