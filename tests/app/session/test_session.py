"""A session: what is asked for, what is local, names and threads."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.sessions import DAY, DIMENSIONS, NOW, Bench, days, fetch, oracle, sums
from usage_viewer.app.fetch.api_source import ApiSource
from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.demo.api.access import USAGE_ONLY_KEY
from usage_viewer.demo.server.faults import Fault
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import (
    ScopeMissing,
)
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import GroupColumn
from usage_viewer.domain.view import Filter, SortKey, ViewState


class TestWhatIsAskedFor:
    def test_the_range_and_every_dimension(self, bench: Bench, organization: SyntheticOrganization) -> None:
        session, view = bench.session(), days("10-01", "10-30", grouping=("model", "project_id"))
        empty_before = session.empty
        steps = fetch(session, view)
        assert (steps[0], steps[-1]) == (Progress(0, 1), Progress(1, 1))
        (asked,) = bench.asked()
        assert asked.path == "/organization/usage/completions"
        assert asked.query["group_by"] == list(DIMENSIONS)
        assert asked.query["bucket_width"] == ["1d"]
        assert (empty_before, session.empty) == (True, False)
        look = session.look(view, named=False)
        assert look.coverage.complete
        assert look.coverage.summary == "30 of 30 days"
        assert look.unavailable == ()
        assert sums(look) == oracle(organization, view)

    def test_in_windows_of_the_most_that_a_page_takes(self, bench: Bench) -> None:
        session = bench.session()
        fetch(session, days("08-01", "10-10"))
        assert bench.windows() == [("08-01", "09-01", 31), ("09-01", "10-02", 31), ("10-02", "10-11", 9)]

    def test_only_what_is_missing(self, bench: Bench) -> None:
        session = bench.session()
        fetch(session, days("10-10", "10-13"))
        fetch(session, days("10-20", "10-23"))
        bench.asked()
        fetch(session, days("10-08", "10-26"))
        assert bench.windows() == [("10-08", "10-10", 2), ("10-14", "10-20", 6), ("10-24", "10-27", 3)]

    def test_settled_buckets_never_again(self, bench: Bench) -> None:
        session, view = bench.session(), days("10-01", "10-30")
        fetch(session, view)
        bench.asked()
        for later in (0, DAY, 400 * DAY):
            bench.now = NOW + later
            assert fetch(session, view, refresh=True) == []
        assert bench.asked() == []

    def test_in_another_session_over_the_same_file_neither(self, server: DemoServer, tmp_path: Path) -> None:
        bench = Bench(server, tmp_path / "usage.duckdb")
        view = days("10-01", "10-30")
        first = bench.session()
        fetch(first, view)
        before = sums(first.look(view))
        first.close()
        bench.asked()
        second = bench.session(connected=False)
        assert fetch(second, view) == []
        assert sums(second.look(view)) == before
        assert bench.asked() == []
        second.close()

    def test_young_buckets_every_five_minutes(self, bench: Bench) -> None:
        session, view = bench.session(), days("11-01", "11-20")
        fetch(session, view)
        bench.asked()
        bench.now = NOW + 299
        assert fetch(session, view) == []
        assert session.look(view).coverage.still_open == 4
        bench.now = NOW + 300
        fetch(session, view)
        # The 16th ended 82 hours and a half before.
        assert bench.windows() == [("11-17", "11-21", 4)]
        bench.now = NOW + 301
        assert fetch(session, view) == []
        assert bench.asked() == []

    def test_young_buckets_at_once_if_the_user_asks(self, bench: Bench) -> None:
        session, view = bench.session(), days("11-01", "11-20")
        fetch(session, view)
        bench.asked()
        fetch(session, view, refresh=True)
        assert bench.windows() == [("11-17", "11-21", 4)]

    def test_buckets_fetched_young_once_more_when_they_are_settled(self, bench: Bench) -> None:
        session, view = bench.session(), days("11-01", "11-20")
        fetch(session, view)
        bench.asked()
        bench.now = NOW + 10 * DAY
        fetch(session, view)
        assert bench.windows() == [("11-17", "11-21", 4)]
        bench.now += DAY
        assert fetch(session, view, refresh=True) == []

    def test_what_has_grown_is_shown(self, bench: Bench, organization: SyntheticOrganization) -> None:
        session, view = bench.session(), days("11-19", "11-20")
        fetch(session, view)
        before = sums(session.look(view))
        assert before == oracle(organization, view)
        bench.now = NOW + 6 * 3600
        fetch(session, view)
        after = sums(session.look(view))
        assert after == oracle(organization, view, bench.now)
        assert after != before

    def test_what_has_not_begun_never(self, bench: Bench) -> None:
        session, view = bench.session(), days("11-19", "12-25")
        fetch(session, view)
        assert bench.windows() == [("11-19", "11-21", 2)]
        coverage = session.coverage(view)
        assert coverage.complete
        assert coverage.summary == "2 of 2 days (35 still to come)"


class TestWhatIsLocal:
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

    def test_every_other_view_of_held_buckets(self, bench: Bench) -> None:
        session, view = bench.session(), days("10-01", "10-14")
        fetch(session, view)
        bench.asked()
        for change in self.CHANGES:
            changed = change(view)
            assert changed != view
            assert session.look(changed).coverage.complete
            assert fetch(session, changed, refresh=True) == []
        assert bench.asked() == []

    def test_another_zone_where_hours_are_held(self, bench: Bench, organization: SyntheticOrganization) -> None:
        session = bench.session()
        fetch(session, days("10-01", "10-14", per=Granularity.HOUR))
        bench.asked()
        view = days("10-05", "10-09", per=Granularity.DAY, zone="Europe/Berlin", grouping=("model",))
        assert fetch(session, view) == []
        assert bench.asked() == []
        start = int(datetime(2026, 10, 4, 22, tzinfo=UTC).timestamp())
        rows = organization.rows("completions", start, start + 5 * DAY, BucketWidth.HOUR, NOW)
        assert sum(sums(session.look(view.with_per(Granularity.TOTAL))).values()) == sum(
            row["input_tokens"] for row in rows
        )

    def test_days_where_their_hours_are_held(self, bench: Bench, organization: SyntheticOrganization) -> None:
        session, hours = bench.session(), days("10-01", "10-14", per=Granularity.HOUR)
        fetch(session, hours)
        bench.asked()
        view = hours.with_per(Granularity.TOTAL)
        assert fetch(session, view) == []
        assert sums(session.look(view)) == oracle(organization, view)
        assert bench.asked() == []

    def test_looking_never_asks(self, bench: Bench) -> None:
        session, view = bench.session(), days("10-01", "10-02")
        look = session.look(view)
        assert (look.coverage.held, look.table.rows) == (0, 0)
        assert session.values("completions", "model") == ()
        assert bench.asked() == []


class TestNames:
    def test_are_fetched_and_shown_and_remembered(self, server: DemoServer, tmp_path: Path) -> None:
        bench = Bench(server, tmp_path / "usage.duckdb")
        first, view = bench.session(), days("10-01", "10-30", grouping=("project_id",))
        fetch(first, view)
        known = first.fetch_names(cancelled=threading.Event())
        directory = server.organization.directory
        assert {name for kind, name in known.by_id if kind == "project"} <= {item.id for item in directory.projects}
        first.close()
        second = bench.session(connected=False)
        assert second.names == known
        (column,) = [item for item in second.look(view).table.columns if isinstance(item, GroupColumn)]
        named = {project.id: project.name for project in directory.projects if project.deleted is None}
        for value, label in zip(column.values, column.labels, strict=True):
            if value in named:
                assert label.startswith(named[value])
        assert sum(label != value for value, label in zip(column.values, column.labels, strict=True)) > 5
        (raw,) = [item for item in second.look(view, named=False).table.columns if isinstance(item, GroupColumn)]
        assert raw.labels == tuple(value or "(none)" for value in raw.values)
        second.close()

    def test_that_no_list_holds_any_longer_are_marked(self, bench: Bench) -> None:
        session = bench.session()
        before = session.fetch_names(cancelled=threading.Event())
        assert not any(name.deleted for name in before.by_id.values())
        staying = {user.id for user in bench.server.organization.directory.users if user.deleted is None}
        keys = bench.server.organization.directory.keys
        # Whoever is named as its owner alone would go with it.
        gone = next(key.id for key in keys if ("api_key", key.id) in before.by_id and key.owner.id in staying)
        bench.server.faults = lambda request: Fault(edit=lambda page: without(page, gone))
        bench.now += 3600
        after = session.fetch_names(cancelled=threading.Event())
        deleted = [name.id for name in after.by_id.values() if name.deleted]
        assert deleted == [gone]
        bench.server.faults = None
        bench.now += 3600
        assert not any(name.deleted for name in session.fetch_names(cancelled=threading.Event()).by_id.values())

    def test_of_a_kind_of_which_none_is_left(self, bench: Bench) -> None:
        session = bench.session()
        session.fetch_names(cancelled=threading.Event())
        bench.server.faults = lambda request: (
            Fault(edit=lambda page: {**page, "data": [], "has_more": False})
            if request.path.endswith("api_keys")
            else None
        )
        bench.now += 3600
        after = session.fetch_names(cancelled=threading.Event())
        assert not any(name.deleted for name in after.by_id.values() if name.kind == "project")
        assert all(name.deleted for name in after.by_id.values() if name.kind == "api_key")

    def test_are_not_taken_for_deleted_when_the_key_may_not_read_them(self, bench: Bench) -> None:
        session = bench.session()
        before = session.fetch_names(cancelled=threading.Event())
        bench.connect(session, USAGE_ONLY_KEY)
        bench.now += 3600
        with pytest.raises(ScopeMissing):
            session.fetch_names(cancelled=threading.Event())
        assert session.names == before

    def test_without_a_source_are_those_that_are_known(self, bench: Bench) -> None:
        session = bench.session(connected=False)
        assert session.fetch_names(cancelled=threading.Event()) == session.names
        assert bench.asked() == []


def without(page: dict[str, Any], gone: str) -> dict[str, Any]:
    return {**page, "data": [item for item in page["data"] if item.get("id") != gone]}


class TestThreads:
    def test_looking_while_fetching(self, bench: Bench, organization: SyntheticOrganization) -> None:
        session, view = bench.session(), days("05-01", "10-30", grouping=("model",))
        whole = oracle(organization, view)
        ended = threading.Event()

        def look() -> int:
            looks = 0
            while not ended.is_set():
                look = session.look(view)
                assert set(sums(look)) <= set(whole)
                assert all(figure <= whole[key] for key, figure in sums(look).items())
                looks += 1
            return looks

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
        assert sums(session.look(view)) == whole

    def test_erasing_forgets_everything_but_the_source(self, bench: Bench) -> None:
        session, view = bench.session(), days("10-01", "10-02")
        fetch(session, view)
        session.fetch_names(cancelled=threading.Event())
        session.erase()
        assert session.empty
        assert not session.names.by_id
        assert session.connected
        fetch(session, view)
        assert session.coverage(view).complete

    def test_a_closed_source_is_let_go(self, bench: Bench) -> None:
        class Closing(ApiSource):
            closed = 0

            def close(self) -> None:
                self.closed += 1
                super().close()

        session = bench.session()
        source = Closing(bench.server.base_url, AdminKey.parse(bench.server.key))
        session.connect(source, source)
        fetch(session, days("10-01", "10-02"))
        bench.connect(session)
        assert source.closed == 1


def test_presets_move_with_the_sessions_clock(bench: Bench) -> None:
    session = bench.session(connected=False)
    assert session.now == NOW
    view = ViewState(per=Granularity.DAY)
    first, _ = view.range.wall(NOW, UTC)
    assert int(session.coverage(view).periods.bounds[0]) == int(first.replace(tzinfo=UTC).timestamp())
    bench.now += timedelta(days=2).total_seconds()
    assert int(session.coverage(view).periods.bounds[0]) == int(first.replace(tzinfo=UTC).timestamp()) + 2 * DAY
