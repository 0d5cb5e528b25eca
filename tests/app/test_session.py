"""A session over a real store, a real client and the stand-in server: what is asked for, and what is shown."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from usage_viewer.app.session import Look, Session
from usage_viewer.app.source import ApiSource
from usage_viewer.app.sync import Progress
from usage_viewer.demo.access import USAGE_ONLY_KEY
from usage_viewer.demo.faults import Asked, Fault, Request
from usage_viewer.demo.organization import Organization
from usage_viewer.demo.server import DemoServer
from usage_viewer.domain.datasets import DATASETS
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import (
    Cancelled,
    KeyMissing,
    KeyRefused,
    NotFound,
    RequestRefused,
    ScopeMissing,
    ServerFailed,
)
from usage_viewer.domain.key import AdminKey
from usage_viewer.domain.period import Per, Width
from usage_viewer.domain.tables import FigureColumn, GroupColumn
from usage_viewer.domain.view import Filter, SortKey, ViewState
from usage_viewer.store import Store

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
DAY = 86400
DIMENSIONS = DATASETS["completions"].group_by
GONE = {"retry-after-ms": "1"}
"""Header of an error that is tried again at once."""


@dataclass
class Bench:
    """A session in front of a server, and the clock of both."""

    server: DemoServer
    path: Path | None = None
    now: float = NOW
    sessions: list[Session] = field(default_factory=list)

    def session(self, *, key: str | None = None, connected: bool = True, workers: int = 8) -> Session:
        session = Session(Store.open(self.path), clock=lambda: self.now, workers=workers)
        self.sessions.append(session)
        if connected:
            self.connect(session, key)
        return session

    def connect(self, session: Session, key: str | None = None) -> None:
        source = ApiSource(self.server.base_url, AdminKey.parse(key or self.server.key))
        session.connect(source, source)

    def asked(self) -> list[Asked]:
        """What the server was asked since the last look."""
        asked, self.server.requests = self.server.requests, []
        return asked

    def windows(self) -> list[tuple[str, str, int]]:
        """The windows asked for since the last look: first moment, end, buckets."""
        return sorted(
            (when(one("start_time", asked)), when(one("end_time", asked)), int(one("limit", asked)))
            for asked in self.asked()
        )


def one(name: str, asked: Asked) -> str:
    (value,) = asked.query[name]
    return value


def when(seconds: str) -> str:
    text = datetime.fromtimestamp(int(seconds), UTC).strftime("%m-%d %H:%M")
    return text.removesuffix(" 00:00")


@pytest.fixture(scope="module")
def organization() -> Organization:
    return Organization(anchor=NOW)


@pytest.fixture
def server(organization: Organization) -> Iterator[DemoServer]:
    with DemoServer(organization, clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def bench(server: DemoServer) -> Iterator[Bench]:
    bench = Bench(server)
    server.clock = lambda: bench.now
    yield bench
    for session in bench.sessions:
        session.close()


@contextmanager
def refusing(organization: Organization, *dimensions: str) -> Iterator[Bench]:
    with DemoServer(organization, refused=dimensions, clock=lambda: NOW) as server:
        bench = Bench(server)
        yield bench
        for session in bench.sessions:
            session.close()


def days(first: str, last: str, **more: Any) -> ViewState:
    """The days from `first` to `last`, both included."""
    start, end = (datetime.fromisoformat(f"2026-{day}").date() for day in (first, last))
    return ViewState(range=DateRange.days(start, end), **more)


def fetch(session: Session, view: ViewState, *, refresh: bool = False) -> list[Progress]:
    return list(session.fetch(view, cancelled=threading.Event(), refresh=refresh))


def sums(look: Look, metric: str = "input_tokens") -> dict[tuple[Any, ...], Any]:
    """The figure of each group, by raw values."""
    columns = [column for column in look.table.columns if isinstance(column, GroupColumn)]
    figures = look.table.by_name[metric]
    assert isinstance(figures, FigureColumn)
    keys = zip(*([column.values[code] for code in column.codes.tolist()] for column in columns), strict=True)
    return dict(zip(keys, figures.figures.listed(), strict=True))


def oracle(
    organization: Organization, view: ViewState, now: float = NOW, without: tuple[str, ...] = ()
) -> dict[tuple[Any, ...], Any]:
    """What `sums` must be, added up row by row."""
    span = view.range.resolve(int(now), UTC)
    found: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in organization.rows("completions", span.start, span.end, Width.DAY, int(now)):
        found[tuple(None if name in without else row[name] for name in view.grouping)] += row["input_tokens"]
    return dict(found)


class TestWhatIsAskedFor:
    def test_the_range_and_every_dimension(self, bench: Bench, organization: Organization) -> None:
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

    def test_what_has_grown_is_shown(self, bench: Bench, organization: Organization) -> None:
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
        lambda view: replace(view, columns=tuple(column.name for column in view.data.columns)),
        lambda view: view.with_per(Per.DAY),
        lambda view: view.with_per(Per.WEEK),
        lambda view: view.with_per(Per.MONTH),
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

    def test_another_zone_where_hours_are_held(self, bench: Bench, organization: Organization) -> None:
        session = bench.session()
        fetch(session, days("10-01", "10-14", per=Per.HOUR))
        bench.asked()
        view = days("10-05", "10-09", per=Per.DAY, zone="Europe/Berlin", grouping=("model",))
        assert fetch(session, view) == []
        assert bench.asked() == []
        start = int(datetime(2026, 10, 4, 22, tzinfo=UTC).timestamp())
        rows = organization.rows("completions", start, start + 5 * DAY, Width.HOUR, NOW)
        assert sum(sums(session.look(view.with_per(Per.TOTAL))).values()) == sum(
            row["input_tokens"] for row in rows
        )

    def test_days_where_their_hours_are_held(self, bench: Bench, organization: Organization) -> None:
        session, hours = bench.session(), days("10-01", "10-14", per=Per.HOUR)
        fetch(session, hours)
        bench.asked()
        view = hours.with_per(Per.TOTAL)
        assert fetch(session, view) == []
        assert sums(session.look(view)) == oracle(organization, view)
        assert bench.asked() == []

    def test_looking_never_asks(self, bench: Bench) -> None:
        session, view = bench.session(), days("10-01", "10-02")
        look = session.look(view)
        assert (look.coverage.held, look.table.rows) == (0, 0)
        assert session.values("completions", "model") == ()
        assert bench.asked() == []


class TestErrors:
    def test_keep_what_is_complete_and_only_the_rest_is_asked_for_later(
        self, bench: Bench, organization: Organization
    ) -> None:
        session, view = bench.session(workers=1), days("10-01", "10-30")
        fetch(session, days("10-04", "10-09"))
        bench.asked()
        until = str(int(datetime(2026, 10, 4, tzinfo=UTC).timestamp()))
        bench.server.faults = lambda request: Fault(status=404) if until in request.query["end_time"] else None
        with pytest.raises(NotFound):
            fetch(session, view)
        look = session.look(view)
        assert look.coverage.summary == "27 of 30 days"
        assert not look.coverage.complete
        assert sums(look) == oracle(organization, days("10-04", "10-30"))
        bench.asked()
        bench.server.faults = None
        fetch(session, view)
        assert bench.windows() == [("10-01", "10-04", 3)]
        assert session.look(view).coverage.summary == "30 of 30 days"
        assert sums(session.look(view)) == oracle(organization, view)

    def test_pages_that_came_whole_are_kept(self, bench: Bench) -> None:
        """The server ends a page before the window's end, and then is gone."""
        session, view = bench.session(), days("10-01", "10-30")
        fetch(session, days("10-20", "10-30"))

        def faults(request: Request) -> Fault | None:
            if "page" in request.query:
                return Fault(status=503, headers=GONE)
            return Fault(edit=lambda page: {**page, "data": page["data"][:5], "has_more": True, "next_page": "p"})

        bench.server.faults = faults
        steps: list[Progress] = []
        with pytest.raises(ServerFailed):
            steps.extend(session.fetch(view, cancelled=threading.Event()))
        notices = [step.notice for step in steps if step.notice]
        assert session.coverage(view).summary == "16 of 30 days"
        assert len(notices) == 5
        assert notices[0].startswith("The server failed")
        assert "next try in 1 s" in notices[0]

    def test_no_key_matters_only_if_something_has_to_be_fetched(self, bench: Bench) -> None:
        session, view = bench.session(), days("10-01", "10-02")
        fetch(session, view)
        session.connect(None)
        assert not session.connected
        assert fetch(session, view) == []
        with pytest.raises(KeyMissing):
            fetch(session, days("10-01", "10-03"))

    def test_a_refused_key(self, bench: Bench) -> None:
        session = bench.session(key="sk-admin-of-somebody-else-entirely-0000")
        with pytest.raises(KeyRefused):
            fetch(session, days("08-01", "10-30"))
        assert session.empty

    def test_another_key_serves_from_then_on(self, bench: Bench) -> None:
        session, view = bench.session(key="sk-admin-of-somebody-else-entirely-0000"), days("10-01", "10-02")
        with pytest.raises(KeyRefused):
            fetch(session, view)
        bench.connect(session)
        fetch(session, view)
        assert session.coverage(view).complete


class TestCancelling:
    def test_takes_less_than_03_s_and_keeps_what_is_complete(self, bench: Bench) -> None:
        session, view = bench.session(workers=2), days("01-01", "10-30")
        cancelled = threading.Event()
        newest = str(int(datetime(2026, 10, 31, tzinfo=UTC).timestamp()))
        bench.server.faults = lambda request: None if newest in request.query["end_time"] else Fault(stall=3.0)
        moment = 0.0
        steps = session.fetch(view, cancelled=cancelled)
        for step in steps:
            if step.stored:
                moment = time.monotonic()
                cancelled.set()
                break
        with pytest.raises(Cancelled):
            list(steps)
        assert time.monotonic() - moment < 0.3
        assert session.coverage(view).held == 24  # the newest window
        assert len(bench.asked()) <= 3

    def test_before_it_begins(self, bench: Bench) -> None:
        cancelled = threading.Event()
        cancelled.set()
        with pytest.raises(Cancelled):
            list(bench.session().fetch(days("10-01", "10-02"), cancelled=cancelled))

    def test_while_dimensions_are_being_learnt(self, organization: Organization) -> None:
        with refusing(organization, "api_source") as bench:
            session, cancelled = bench.session(), threading.Event()
            bench.server.faults = lambda request: Fault(stall=3.0) if request.number else None
            steps = session.fetch(days("10-01", "10-02"), cancelled=cancelled)
            while not next(steps).notice:
                pass
            threading.Timer(0.1, cancelled.set).start()
            begun = time.monotonic()
            with pytest.raises(Cancelled):
                list(steps)
            assert time.monotonic() - begun < 0.4
            assert session.look(days("10-01", "10-02")).unavailable == ()


class TestRefusedDimensions:
    VIEW = days("10-01", "10-30", grouping=("model", "api_source"))

    def test_are_learnt_and_reported_and_the_data_comes_without_them(self, organization: Organization) -> None:
        with refusing(organization, "api_source") as bench:
            session = bench.session()
            fetch(session, self.VIEW)
            look = session.look(self.VIEW, named=False)
            assert look.unavailable == ("api_source",)
            assert look.coverage.complete
            # Null in it would say that there is none of it.
            assert look.answered.grouping == ("model",)
            assert look.notes == ("API source can't be had of this organization's completions: shown without.",)
            assert sums(look) == oracle(organization, self.VIEW.with_grouping(("model",)))
            assert bench.asked()[-1].query["group_by"] == [name for name in DIMENSIONS if name != "api_source"]
            fetch(session, days("09-01", "09-10"))
            (asked,) = bench.asked()
            assert "api_source" not in asked.query["group_by"]

    def test_several_at_once(self, organization: Organization) -> None:
        with refusing(organization, "api_source", "user_id") as bench:
            session = bench.session()
            fetch(session, self.VIEW)
            assert set(session.look(self.VIEW).unavailable) == {"api_source", "user_id"}
            assert sum(sums(session.look(self.VIEW)).values()) == sum(oracle(organization, self.VIEW).values())

    def test_one_refused_later(self, organization: Organization) -> None:
        with refusing(organization, "user_id") as bench:
            session = bench.session()
            fetch(session, self.VIEW)
            bench.asked()
            with refusing(organization, "api_source", "user_id") as other:
                other.connect(session)
                view = days("09-01", "09-10")
                fetch(session, view)
                assert set(session.look(view).unavailable) == {"api_source", "user_id"}

    def test_are_remembered_by_the_store(self, organization: Organization, tmp_path: Path) -> None:
        with refusing(organization, "api_source") as bench:
            bench.path = tmp_path / "usage.duckdb"
            first = bench.session()
            fetch(first, self.VIEW)
            first.close()
            bench.asked()
            second = bench.session()
            assert second.look(self.VIEW).unavailable == ("api_source",)
            fetch(second, days("09-01", "09-10"))
            assert len(bench.asked()) == 1

    def test_are_asked_for_again_on_request(self, bench: Bench, organization: Organization) -> None:
        with refusing(organization, "api_source") as refused:
            session = refused.session()
            fetch(session, self.VIEW)
            bench.connect(session)
            view = days("09-01", "09-10", grouping=("model", "api_source"))
            session.ask_all_dimensions("completions")
            fetch(session, view)
            (asked,) = bench.asked()
            assert asked.query["group_by"] == list(DIMENSIONS)
            assert session.look(view).unavailable == ()
            assert sums(session.look(view, named=False)) == oracle(organization, view)

    def test_pairs_in_costs(self, organization: Organization) -> None:
        pair = ("project_id", "user_id")
        with DemoServer(organization, refused_pairs=[pair], clock=lambda: NOW) as server:
            bench = Bench(server)
            session, view = bench.session(), days("10-01", "10-30", dataset="costs", grouping=("line_item",))
            fetch(session, view)
            assert session.look(view).unavailable == ("user_id",)
            assert session.look(view).coverage.complete
            session.close()

    def test_a_refusal_of_something_else_is_raised(self, bench: Bench) -> None:
        body = b'{"error": {"message": "no", "type": "invalid_request_error", "param": null, "code": null}}'
        bench.server.faults = lambda request: Fault(status=400, body=body)
        session = bench.session()
        with pytest.raises(RequestRefused):
            fetch(session, days("10-01", "10-30"))
        assert session.look(days("10-01", "10-30")).unavailable == ()
        assert len(bench.asked()) <= 4

    def test_a_refusal_that_goes_away_is_raised_once_it_comes_again(self, bench: Bench) -> None:
        """All dimensions are accepted for the day that is probed, and refused for the range."""
        body = b'{"error": {"message": "no", "type": "invalid_request_error", "param": "group_by", "code": null}}'
        bench.server.faults = lambda request: (
            Fault(status=400, body=body) if request.query["limit"] != ["1"] else None
        )
        with pytest.raises(RequestRefused):
            fetch(bench.session(), days("10-01", "10-30"))
        assert len(bench.asked()) == 2


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
    def test_looking_while_fetching(self, bench: Bench, organization: Organization) -> None:
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
    view = ViewState(per=Per.DAY)
    first, _ = view.range.wall(NOW, UTC)
    assert int(session.coverage(view).periods.bounds[0]) == int(first.replace(tzinfo=UTC).timestamp())
    bench.now += timedelta(days=2).total_seconds()
    assert int(session.coverage(view).periods.bounds[0]) == int(first.replace(tzinfo=UTC).timestamp()) + 2 * DAY
