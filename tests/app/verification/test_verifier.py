"""Checks verification against a real server: dropped rows, changed counts and growing buckets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.rigs.sample_organization import sample_organization
from usage_viewer.app.fetch.api_source import ApiSource
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import Cancelled, KeyMissing
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.verification import Bucket, Completeness, Verdict
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

DAY = 86400
NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
TODAY = NOW - NOW % DAY

WEEK = DateRange(None, datetime(2026, 11, 2), datetime(2026, 11, 9))
"""A week that is settled at NOW."""
RECENT_DAYS = DateRange(None, datetime(2026, 11, 14), datetime(2026, 11, 21))
"""The days until the end of NOW's day, some of them open."""

Edit = Callable[[Any], Any]


@dataclass
class VerificationRig:
    """A server, a session and their common clock; `fetched`: whether the last check fetched buckets again."""

    server: DemoServer
    session: StoreSession
    now: float = NOW
    fetched: bool = False

    def load(self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED) -> None:
        """Fetch a view."""
        for _ in self.session.fetch(view, refresh=refresh):
            pass

    def verify(self, view: ViewState, refetch: tuple[Bucket, ...] = ()) -> Completeness:
        """Verify a view."""
        outcome = self.session.verify(view, refetch=refetch)
        self.fetched = outcome.fetched
        return outcome.completeness

    def edit(self, change: Edit, *, grouped: bool = True) -> None:
        """Change the server's usage responses: the grouped ones, or the others."""

        def faults(request: Request) -> Fault | None:
            is_selected = "start_time" in request.query and ("group_by" in request.query) is grouped
            return Fault(edit=change) if is_selected else None

        self.server.faults = faults

    def stop_editing(self) -> None:
        """Lets the server respond correctly again."""
        self.server.faults = None


@pytest.fixture(scope="module")
def organization() -> SyntheticOrganization:
    """Return the synthetic organization as of NOW."""
    return sample_organization(NOW)


@pytest.fixture
def rig(organization: SyntheticOrganization) -> Iterator[VerificationRig]:
    """Return a connected session without data."""
    with DemoServer(organization) as server:
        session = StoreSession(Store.open(None), clock=lambda: created.now)
        created = VerificationRig(server, session)
        server.clock = lambda: created.now
        session.connect(ApiSource(server.base_url, AdminKey.parse(server.key)))
        yield created
        session.close()


def view_of(dataset: str = "completions", date_range: DateRange = WEEK, **fields: Any) -> ViewState:
    """Return a view without grouping."""
    return replace(ViewState(grouping=(), range=date_range).with_dataset(dataset), **fields)


def drop_row(day: int) -> Edit:
    """Remove the last row of the bucket that begins at `day`."""

    def change(answer: Any) -> Any:
        for bucket in answer["data"]:
            if bucket["start_time"] == day:
                bucket["results"].pop()
        return answer

    return change


class TestVerify:
    @pytest.mark.parametrize(
        ("dataset", "per"),
        [
            ("completions", Granularity.TOTAL),
            ("completions", Granularity.HOUR),
            ("images", Granularity.DAY),
            ("vector_stores", Granularity.DAY),
            ("vector_stores", Granularity.HOUR),
            ("costs", Granularity.TOTAL),
        ],
    )
    def test_complete_data_is_verified(self, rig: VerificationRig, dataset: str, per: Granularity) -> None:
        view = view_of(dataset, per=per)
        rig.load(view)
        assert rig.session.completeness(view).verdict is Verdict.NOT_VERIFIED
        result = rig.verify(view)
        assert result == rig.session.completeness(view)
        assert result == Completeness(Verdict.VERIFIED, NOW, 7 if per is not Granularity.HOUR else 168)

    def test_a_month_of_days_takes_one_request(self, rig: VerificationRig) -> None:
        view = view_of(date_range=DateRange(None, datetime(2026, 10, 1), datetime(2026, 11, 1)))
        rig.load(view)
        rig.server.requests.clear()
        rig.verify(view)
        (request,) = rig.server.requests
        assert "group_by" not in request.query
        assert rig.session.requests_to_verify(view, rig.session.coverage(view)) == 1

    def test_another_grouping_filter_or_part_is_verified_too(self, rig: VerificationRig) -> None:
        view = view_of()
        rig.load(view)
        rig.verify(view)
        part = replace(view, range=DateRange(None, datetime(2026, 11, 3), datetime(2026, 11, 5)))
        other = part.with_grouping(["project_id"]).only("model", "none such")
        assert rig.session.completeness(other) == Completeness(Verdict.VERIFIED, NOW, 2)
        more = replace(view, range=DateRange(None, datetime(2026, 11, 2), datetime(2026, 11, 10)))
        assert rig.session.completeness(more).verdict is Verdict.NOT_VERIFIED

    def test_a_dropped_row_is_found_and_fetched_again(self, rig: VerificationRig) -> None:
        view, day = view_of(), TODAY - 15 * DAY
        rig.edit(drop_row(day))
        rig.load(view)
        rig.stop_editing()
        result = rig.verify(view)
        assert result.verdict is Verdict.DIFFERS
        assert result.differing == (Bucket(day, BucketWidth.DAY),)
        excess = {difference.metric: difference.excess for difference in result.differences}
        row = list(rig.server.organization.rows("completions", day, day + DAY, BucketWidth.DAY, NOW))[-1]
        assert excess == {name: -row[name] for name in excess}
        assert {name for name, value in row.items() if isinstance(value, int) and value > 0} - {
            "bucket",
            "batch",
        } == excess.keys()
        fetched_by_first_check = rig.fetched
        assert not fetched_by_first_check
        corrected = rig.verify(view, result.differing)
        assert rig.fetched
        assert corrected == Completeness(Verdict.VERIFIED, NOW, 7)

    def test_a_dropped_row_of_money_is_found_exactly(self, rig: VerificationRig) -> None:
        view, day = view_of("costs"), TODAY - 15 * DAY
        rig.edit(drop_row(day))
        rig.load(view)
        rig.stop_editing()
        (difference,) = rig.verify(view).differences
        row = list(rig.server.organization.rows("costs", day, day + DAY, BucketWidth.DAY, NOW))[-1]
        assert (difference.bucket.start, difference.metric, difference.unit) == (day, "amount", "usd")
        assert difference.excess == -row["amount"]
        assert isinstance(difference.excess, Decimal)

    def test_an_empty_bucket_differs_from_one_with_rows(self, rig: VerificationRig) -> None:
        view, day = view_of(), TODAY - 15 * DAY

        def empty(answer: Any) -> Any:
            for bucket in answer["data"]:
                bucket["results"] = bucket["results"] if bucket["start_time"] != day else []
            return answer

        rig.edit(empty, grouped=False)
        rig.load(view)
        result = rig.verify(view)
        assert result.differing == (Bucket(day, BucketWidth.DAY),)
        assert all(difference.server_value == 0 and difference.local_value for difference in result.differences)

    def test_a_level_that_differs_is_found(self, rig: VerificationRig) -> None:
        view, day = view_of("vector_stores"), TODAY - 15 * DAY
        rig.edit(drop_row(day))
        rig.load(view)
        assert rig.verify(view).differing == (Bucket(day, BucketWidth.DAY),)

    def test_refetched_buckets_must_be_verified_again(self, rig: VerificationRig) -> None:
        view = view_of(date_range=RECENT_DAYS)
        rig.load(view)
        assert rig.verify(view).verdict is Verdict.VERIFIED
        rig.now += 600
        rig.load(view, refresh=Refresh.GROWING)
        assert rig.session.completeness(view) == Completeness(buckets=7, pending=4)

    def test_incomplete_data_is_not_verified(self, rig: VerificationRig) -> None:
        view = view_of()
        rig.load(view)
        longer = replace(view, range=DateRange(None, datetime(2026, 11, 1), datetime(2026, 11, 9)))
        assert rig.verify(longer) == Completeness()
        assert rig.session.completeness(view).verdict is Verdict.VERIFIED

    def test_verify_without_a_key_raises_key_missing(self, rig: VerificationRig) -> None:
        rig.session.connect(None)
        with pytest.raises(KeyMissing):
            rig.verify(view_of())

    def test_a_cancelled_check_records_nothing(self, rig: VerificationRig) -> None:
        view = view_of()
        rig.load(view)
        cancellation = Cancellation()
        cancellation.cancel()
        with pytest.raises(Cancelled):
            rig.session.verify(view, cancellation)
        assert rig.session.completeness(view) == Completeness(buckets=7, pending=7)

    def test_erase_clears_verification_results(self, rig: VerificationRig) -> None:
        view = view_of()
        rig.load(view)
        rig.verify(view)
        rig.session.erase()
        rig.load(view)
        assert rig.session.completeness(view) == Completeness(buckets=7, pending=7)


class TestGrowth:
    def test_an_open_bucket_that_grew_is_fetched_again(self, rig: VerificationRig) -> None:
        view = view_of(date_range=RECENT_DAYS)
        rig.load(view)
        before = rig.session.look(view).table.figures[0].total
        rig.now += 3 * 3600
        assert rig.verify(view) == Completeness(Verdict.VERIFIED, int(rig.now), 7)
        assert rig.fetched
        after = rig.session.look(view).table.figures[0].total
        assert before is not None
        assert after is not None
        assert after > before

    def test_a_bucket_that_grows_during_the_check_is_no_difference(self, rig: VerificationRig) -> None:
        view = view_of(date_range=RECENT_DAYS)
        rig.load(view)

        def advance_clock(request: Request) -> Fault | None:
            rig.now += 0 if "group_by" in request.query else 3600
            return None

        rig.server.faults = advance_clock
        result = rig.verify(view)
        assert result.verdict is Verdict.VERIFIED
        assert result.growing == (Bucket(TODAY, BucketWidth.DAY),)

    def test_an_open_bucket_with_a_dropped_row_differs(self, rig: VerificationRig) -> None:
        view = view_of(date_range=RECENT_DAYS)
        rig.edit(drop_row(TODAY))
        rig.load(view)
        assert rig.verify(view).differing == (Bucket(TODAY, BucketWidth.DAY),)

    def test_an_open_bucket_with_a_larger_stored_value_differs(self, rig: VerificationRig) -> None:
        view = view_of(date_range=RECENT_DAYS)
        rig.load(view)
        rig.edit(lambda answer: reduce_requests(answer, TODAY), grouped=False)
        rig.server.requests.clear()
        result = rig.verify(view)
        assert {(item.bucket.start, item.metric, item.excess) for item in result.differences} == {
            (TODAY, "num_model_requests", Decimal(1))
        }
        assert len(rig.server.requests) == 1

    def test_a_settled_bucket_with_a_larger_server_value_differs(self, rig: VerificationRig) -> None:
        view, day = view_of(), TODAY - 15 * DAY
        rig.edit(lambda answer: reduce_requests(answer, day))
        rig.load(view)
        rig.stop_editing()
        assert [item.excess for item in rig.verify(view).differences] == [-1]


def reduce_requests(answer: Any, day: int) -> Any:
    """Subtracts one request from the first row of a bucket."""
    for bucket in answer["data"]:
        if bucket["start_time"] == day:
            bucket["results"][0]["num_model_requests"] -= 1
    return answer


class TestConsistency:
    def test_the_demo_has_no_broken_identity(self, rig: VerificationRig) -> None:
        view = view_of(date_range=RECENT_DAYS)
        rig.load(view)
        assert rig.session.broken_identities(view).count == 0

    def test_a_changed_count_breaks_two_identities(self, rig: VerificationRig) -> None:
        view, day = view_of(), TODAY - 15 * DAY

        def add_cached_tokens(answer: Any) -> Any:
            for bucket in answer["data"]:
                if bucket["start_time"] == day:
                    bucket["results"][0]["input_cached_tokens"] += 5
            return answer

        rig.edit(add_cached_tokens)
        rig.load(view)
        broken = rig.session.broken_identities(view)
        assert broken.count == 2
        by_whole = {item.identity.whole: item for item in broken.listed}
        assert by_whole.keys() == {"input_tokens", "input_cached_tokens"}
        assert by_whole["input_tokens"].parts_sum - by_whole["input_tokens"].whole == 5
        assert by_whole["input_cached_tokens"].parts_sum - by_whole["input_cached_tokens"].whole == -5
        assert {item.bucket for item in broken.listed} == {Bucket(day, BucketWidth.DAY)}
