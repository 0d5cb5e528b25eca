"""Checks what a fetch stores after an error, a cancellation or a refused dimension, and requests afterwards."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.rigs.load import slowdown
from tests.rigs.sessions import (
    DIMENSIONS,
    NOW,
    RETRY_AT_ONCE,
    SessionRig,
    days,
    expected_sums,
    fetch,
    refusing,
    sums,
)
from usage_viewer.app.fetch.grant_learner import MAX_EXTRA_REQUESTS
from usage_viewer.app.fetch.refusal_text import is_about_grouping
from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.demo.api.refusal import GroupingRule, RefusedGroupings
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import Cancelled, KeyMissing, KeyRefused
from usage_viewer.domain.network_errors import NotFound, RequestRefused, ServerFailed

SILENT = GroupingRule(frozenset(["api_source"]), message="This grouping is not supported.")


class TestErrors:
    def test_complete_windows_are_stored_and_the_rest_is_fetched_later(
        self, rig: SessionRig, organization: SyntheticOrganization
    ) -> None:
        session, view = rig.session(workers=1), days("10-01", "10-30")
        fetch(session, days("10-04", "10-09"))
        rig.take_requests()
        first_window_end = str(int(datetime(2026, 10, 4, tzinfo=UTC).timestamp()))
        rig.server.faults = lambda request: (
            Fault(status=404) if first_window_end in request.query["end_time"] else None
        )
        with pytest.raises(NotFound):
            fetch(session, view)
        result = session.look(view)
        assert result.coverage.summary == "27 of 30 days loaded"
        assert not result.coverage.complete
        assert sums(result) == expected_sums(organization, days("10-04", "10-30"))
        rig.take_requests()
        rig.server.faults = None
        fetch(session, view)
        assert rig.take_windows() == [("10-01", "10-04", 3)]
        assert session.look(view).coverage.summary == "Complete: 30 days"
        assert sums(session.look(view)) == expected_sums(organization, view)

    def test_complete_pages_are_stored(self, rig: SessionRig) -> None:
        """The server ends a page before the end of the window, and then fails."""
        session, view = rig.session(), days("10-01", "10-30")
        fetch(session, days("10-20", "10-30"))

        def faults(request: Request) -> Fault | None:
            if "page" in request.query:
                return Fault(status=503, headers=RETRY_AT_ONCE)
            return Fault(edit=lambda page: {**page, "data": page["data"][:5], "has_more": True, "next_page": "p"})

        rig.server.faults = faults
        steps: list[Progress] = []
        with pytest.raises(ServerFailed):
            steps.extend(session.fetch(view))
        notices = [step.notice for step in steps if step.notice]
        assert session.coverage(view).summary == "16 of 30 days loaded"
        assert len(notices) == 5
        assert notices[0].startswith("The server failed")
        assert "retrying in 1 s" in notices[0]

    def test_a_key_is_required_only_if_a_bucket_is_missing(self, rig: SessionRig) -> None:
        session, view = rig.session(), days("10-01", "10-02")
        fetch(session, view)
        session.connect(None)
        assert not session.connected
        assert fetch(session, view) == []
        with pytest.raises(KeyMissing):
            fetch(session, days("10-01", "10-03"))

    def test_a_refused_key_stores_nothing(self, rig: SessionRig) -> None:
        session = rig.session(key="sk-admin-of-somebody-else-entirely-0000")
        with pytest.raises(KeyRefused):
            fetch(session, days("08-01", "10-30"))
        assert session.empty

    def test_a_new_key_replaces_a_refused_one(self, rig: SessionRig) -> None:
        session, view = rig.session(key="sk-admin-of-somebody-else-entirely-0000"), days("10-01", "10-02")
        with pytest.raises(KeyRefused):
            fetch(session, view)
        rig.connect(session)
        fetch(session, view)
        assert session.coverage(view).complete


class TestCancellation:
    def test_cancelling_takes_less_than_03_s_and_complete_windows_stay(self, rig: SessionRig) -> None:
        session, view = rig.session(workers=2), days("01-01", "10-30")
        cancellation = Cancellation()
        newest = str(int(datetime(2026, 10, 31, tzinfo=UTC).timestamp()))
        rig.server.faults = lambda request: (
            None if newest in request.query["end_time"] or request.query["limit"] == ["1"] else Fault(stall=3.0)
        )
        cancelled_at = 0.0
        steps = session.fetch(view, cancellation)
        for step in steps:
            if step.done:
                cancelled_at = time.monotonic()
                cancellation.cancel()
                break
        with pytest.raises(Cancelled):
            list(steps)
        assert time.monotonic() - cancelled_at < 0.3 * slowdown()
        assert session.coverage(view).stored == 1 + 24  # the oldest day and the newest window
        assert len(rig.take_requests()) <= 4  # one of them asks what is granted

    def test_cancelled_before_the_start(self, rig: SessionRig) -> None:
        cancellation = Cancellation()
        cancellation.cancel()
        with pytest.raises(Cancelled):
            list(rig.session().fetch(days("10-01", "10-02"), cancellation))

    def test_cancelled_while_dimensions_are_checked(self, organization: SyntheticOrganization) -> None:
        with refusing(organization, "api_source") as rig:
            session, cancellation = rig.session(), Cancellation()
            rig.server.refused = RefusedGroupings.of(rules=[SILENT])
            rig.server.faults = lambda request: Fault(stall=3.0) if request.number else None
            steps = session.fetch(days("10-01", "10-02"), cancellation)
            while not next(steps).notice:
                pass
            threading.Timer(0.1, cancellation.cancel).start()
            started = time.monotonic()
            with pytest.raises(Cancelled):
                list(steps)
            assert time.monotonic() - started < 0.4 * slowdown()
            assert session.look(days("10-01", "10-02")).unavailable_dimensions == ()


class TestRefusedDimensions:
    VIEW = days("10-01", "10-30", grouping=("model", "api_source"))

    def test_refused_dimensions_are_reported_and_left_out(self, organization: SyntheticOrganization) -> None:
        with refusing(organization, "api_source") as rig:
            session = rig.session()
            fetch(session, self.VIEW)
            result = session.look(self.VIEW, named=False)
            assert result.unavailable_dimensions == ("api_source",)
            assert result.coverage.complete
            # Null would wrongly read as "none".
            assert result.effective_view.grouping == ("model",)
            assert result.notes == (
                "API source is not available for this organization's completions; shown without it.",
            )
            assert sums(result) == expected_sums(organization, self.VIEW.with_grouping(("model",)))
            assert rig.take_requests()[-1].query["group_by"] == [
                name for name in DIMENSIONS if name != "api_source"
            ]
            fetch(session, days("09-01", "09-10"))
            (request,) = rig.take_requests()
            assert "api_source" not in request.query["group_by"]

    def test_several_dimensions_refused_at_once(self, organization: SyntheticOrganization) -> None:
        with refusing(organization, "api_source", "user_id") as rig:
            session = rig.session()
            fetch(session, self.VIEW)
            assert set(session.look(self.VIEW).unavailable_dimensions) == {"api_source", "user_id"}
            assert sum(sums(session.look(self.VIEW)).values()) == sum(
                expected_sums(organization, self.VIEW).values()
            )

    def test_a_dimension_refused_later(self, organization: SyntheticOrganization) -> None:
        with refusing(organization, "user_id") as rig:
            session = rig.session()
            fetch(session, self.VIEW)
            rig.take_requests()
            with refusing(organization, "api_source", "user_id") as other:
                other.connect(session)
                view = days("09-01", "09-10")
                fetch(session, view)
                assert set(session.look(view).unavailable_dimensions) == {"api_source", "user_id"}

    def test_refused_dimensions_are_stored(self, organization: SyntheticOrganization, tmp_path: Path) -> None:
        with refusing(organization, "api_source") as rig:
            rig.path = tmp_path / "usage.duckdb"
            first = rig.session()
            fetch(first, self.VIEW)
            first.close()
            rig.take_requests()
            second = rig.session()
            assert second.look(self.VIEW).unavailable_dimensions == ("api_source",)
            fetch(second, days("09-01", "09-10"))
            assert len(rig.take_requests()) == 1

    def test_refused_dimensions_are_requested_again_after_forgetting(
        self, rig: SessionRig, organization: SyntheticOrganization
    ) -> None:
        with refusing(organization, "api_source") as refused:
            session = refused.session()
            fetch(session, self.VIEW)
            rig.connect(session)
            view = days("09-01", "09-10", grouping=("model", "api_source"))
            session.ask_again("completions")
            fetch(session, view)
            (request,) = rig.take_requests()
            assert request.query["group_by"] == list(DIMENSIONS)
            assert session.look(view).unavailable_dimensions == ()
            assert sums(session.look(view, named=False)) == expected_sums(organization, view)

    def test_a_refused_pair_of_dimensions_in_costs(self, organization: SyntheticOrganization) -> None:
        pair = ("project_id", "user_id")
        with DemoServer(organization, refused=RefusedGroupings.of(pairs=[pair]), clock=lambda: NOW) as server:
            rig = SessionRig(server)
            session, view = rig.session(), days("10-01", "10-30", dataset_name="costs", grouping=("line_item",))
            fetch(session, view)
            assert session.look(view).unavailable_dimensions == ()  # each of them is available alone
            assert session.look(view).coverage.complete
            both = view.with_grouping(["project_id", "user_id"])
            fetch(session, both)
            assert session.look(both).effective_view.grouping == ("project_id",)
            session.close()

    def test_another_refusal_is_raised(self, rig: SessionRig) -> None:
        body = b'{"error": {"message": "no", "type": "invalid_request_error", "param": null, "code": null}}'
        rig.server.faults = lambda request: Fault(status=400, body=body)
        session = rig.session()
        with pytest.raises(RequestRefused):
            fetch(session, days("10-01", "10-30"))
        assert session.look(days("10-01", "10-30")).unavailable_dimensions == ()
        assert len(rig.take_requests()) <= 4

    def test_a_refusal_that_the_check_does_not_confirm_is_raised(self, rig: SessionRig) -> None:
        """The server accepts all dimensions for the checked day and refuses them for the range."""
        body = b'{"error": {"message": "no", "type": "invalid_request_error", "param": "group_by", "code": null}}'
        rig.server.faults = lambda request: (
            Fault(status=400, body=body) if request.query["limit"] != ["1"] else None
        )
        with pytest.raises(RequestRefused):
            fetch(rig.session(), days("10-01", "10-30"))
        assert len(rig.take_requests()) <= 1 + MAX_EXTRA_REQUESTS


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RequestRefused(status=400), True),
        (RequestRefused(status=400, param="group_by"), True),
        (RequestRefused(status=400, param="group_by[2]"), True),
        (RequestRefused(status=400, param="start_time"), False),
        (RequestRefused(status=422), True),
        (RequestRefused(status=409), False),
    ],
)
def test_which_refusals_may_concern_a_dimension(error: RequestRefused, expected: bool) -> None:
    assert is_about_grouping(error) is expected
