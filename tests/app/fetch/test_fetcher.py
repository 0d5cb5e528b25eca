"""Fetching: what an error, a stop or a refused dimension leaves, and what is asked for afterwards."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.rigs.load import slowdown
from tests.rigs.sessions import DIMENSIONS, GONE, NOW, Bench, days, fetch, oracle, refusing, sums
from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.errors import (
    Cancelled,
    KeyMissing,
    KeyRefused,
    NotFound,
    RequestRefused,
    ServerFailed,
)


class TestErrors:
    def test_keep_what_is_complete_and_only_the_rest_is_asked_for_later(
        self, bench: Bench, organization: SyntheticOrganization
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
        assert time.monotonic() - moment < 0.3 * slowdown()
        assert session.coverage(view).held == 24  # the newest window
        assert len(bench.asked()) <= 3

    def test_before_it_begins(self, bench: Bench) -> None:
        cancelled = threading.Event()
        cancelled.set()
        with pytest.raises(Cancelled):
            list(bench.session().fetch(days("10-01", "10-02"), cancelled=cancelled))

    def test_while_dimensions_are_being_learnt(self, organization: SyntheticOrganization) -> None:
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
            assert time.monotonic() - begun < 0.4 * slowdown()
            assert session.look(days("10-01", "10-02")).unavailable == ()


class TestRefusedDimensions:
    VIEW = days("10-01", "10-30", grouping=("model", "api_source"))

    def test_are_learnt_and_reported_and_the_data_comes_without_them(
        self, organization: SyntheticOrganization
    ) -> None:
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

    def test_several_at_once(self, organization: SyntheticOrganization) -> None:
        with refusing(organization, "api_source", "user_id") as bench:
            session = bench.session()
            fetch(session, self.VIEW)
            assert set(session.look(self.VIEW).unavailable) == {"api_source", "user_id"}
            assert sum(sums(session.look(self.VIEW)).values()) == sum(oracle(organization, self.VIEW).values())

    def test_one_refused_later(self, organization: SyntheticOrganization) -> None:
        with refusing(organization, "user_id") as bench:
            session = bench.session()
            fetch(session, self.VIEW)
            bench.asked()
            with refusing(organization, "api_source", "user_id") as other:
                other.connect(session)
                view = days("09-01", "09-10")
                fetch(session, view)
                assert set(session.look(view).unavailable) == {"api_source", "user_id"}

    def test_are_remembered_by_the_store(self, organization: SyntheticOrganization, tmp_path: Path) -> None:
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

    def test_are_asked_for_again_on_request(self, bench: Bench, organization: SyntheticOrganization) -> None:
        with refusing(organization, "api_source") as refused:
            session = refused.session()
            fetch(session, self.VIEW)
            bench.connect(session)
            view = days("09-01", "09-10", grouping=("model", "api_source"))
            session.forget_refusals("completions")
            fetch(session, view)
            (asked,) = bench.asked()
            assert asked.query["group_by"] == list(DIMENSIONS)
            assert session.look(view).unavailable == ()
            assert sums(session.look(view, named=False)) == oracle(organization, view)

    def test_pairs_in_costs(self, organization: SyntheticOrganization) -> None:
        pair = ("project_id", "user_id")
        with DemoServer(organization, refused_pairs=[pair], clock=lambda: NOW) as server:
            bench = Bench(server)
            session, view = bench.session(), days("10-01", "10-30", dataset_name="costs", grouping=("line_item",))
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
