"""Proofs against a real server: rows that it drops, counts that it bends, buckets that grow."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from usage_viewer.app.fetch.api_source import ApiSource
from usage_viewer.app.session.session import Session
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
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
"""Settled at NOW."""
LATELY = DateRange(None, datetime(2026, 11, 14), datetime(2026, 11, 21))
"""Until the end of NOW's day."""

Edit = Callable[[Any], Any]


@dataclass
class Bench:
    server: DemoServer
    session: Session
    now: float = NOW
    fetched: bool = False

    def load(self, view: ViewState, *, refresh: bool = False) -> None:
        for _ in self.session.fetch(view, cancelled=threading.Event(), refresh=refresh):
            pass

    def prove(self, view: ViewState, refetch: tuple[Bucket, ...] = ()) -> Completeness:
        proved = self.session.prove(view, cancelled=threading.Event(), refetch=refetch)
        self.fetched = proved.fetched
        return proved.completeness

    def edit(self, change: Edit, *, grouped: bool = True) -> None:
        """Changes the server's answers about usage: those that are grouped, or those that aren't."""

        def faults(request: Request) -> Fault | None:
            about_usage = "start_time" in request.query and ("group_by" in request.query) is grouped
            return Fault(edit=change) if about_usage else None

        self.server.faults = faults

    def be_honest(self) -> None:
        self.server.faults = None


@pytest.fixture(scope="module")
def organization() -> SyntheticOrganization:
    return SyntheticOrganization(anchor=NOW)


@pytest.fixture
def bench(organization: SyntheticOrganization) -> Iterator[Bench]:
    with DemoServer(organization) as server:
        session = Session(Store.open(None), clock=lambda: made.now)
        made = Bench(server, session)
        server.clock = lambda: made.now
        session.connect(ApiSource(server.base_url, AdminKey.parse(server.key)))
        yield made
        session.close()


def view_of(dataset: str = "completions", chosen: DateRange = WEEK, **more: Any) -> ViewState:
    return replace(ViewState(grouping=(), range=chosen).with_dataset(dataset), **more)


def drop_row(day: int) -> Edit:
    """Leaves out the last row of the bucket that begins at `day`."""

    def change(answer: Any) -> Any:
        for bucket in answer["data"]:
            if bucket["start_time"] == day:
                bucket["results"].pop()
        return answer

    return change


class TestProve:
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
    def test_what_is_whole_is_proven(self, bench: Bench, dataset: str, per: Granularity) -> None:
        view = view_of(dataset, per=per)
        bench.load(view)
        assert bench.session.completeness(view).verdict is Verdict.NOT_VERIFIED
        proof = bench.prove(view)
        assert proof == bench.session.completeness(view)
        assert proof == Completeness(Verdict.VERIFIED, NOW, 7 if per is not Granularity.HOUR else 168)

    def test_costs_one_call_for_a_month_of_days(self, bench: Bench) -> None:
        view = view_of(chosen=DateRange(None, datetime(2026, 10, 1), datetime(2026, 11, 1)))
        bench.load(view)
        bench.server.requests.clear()
        bench.prove(view)
        (asked,) = bench.server.requests
        assert "group_by" not in asked.query
        assert bench.session.calls_to_prove(view, bench.session.coverage(view)) == 1

    def test_another_grouping_filter_or_part_of_it_is_proven_too(self, bench: Bench) -> None:
        view = view_of()
        bench.load(view)
        bench.prove(view)
        part = replace(view, range=DateRange(None, datetime(2026, 11, 3), datetime(2026, 11, 5)))
        other = part.with_grouping(["project_id"]).only("model", "none such")
        assert bench.session.completeness(other) == Completeness(Verdict.VERIFIED, NOW, 2)
        more = replace(view, range=DateRange(None, datetime(2026, 11, 2), datetime(2026, 11, 10)))
        assert bench.session.completeness(more) == Completeness()

    def test_a_row_that_is_dropped_is_found_and_fetched_again(self, bench: Bench) -> None:
        view, day = view_of(), TODAY - 15 * DAY
        bench.edit(drop_row(day))
        bench.load(view)
        bench.be_honest()
        proof = bench.prove(view)
        assert proof.verdict is Verdict.DIFFERS
        assert proof.differing == (Bucket(day, BucketWidth.DAY),)
        missing = {difference.metric: difference.excess for difference in proof.differences}
        row = list(bench.server.organization.rows("completions", day, day + DAY, BucketWidth.DAY, NOW))[-1]
        assert missing == {name: -row[name] for name in missing}
        assert {name for name, value in row.items() if isinstance(value, int) and value > 0} - {
            "bucket",
            "batch",
        } == missing.keys()
        fetched_at_first = bench.fetched
        assert not fetched_at_first
        mended = bench.prove(view, proof.differing)
        assert bench.fetched
        assert mended == Completeness(Verdict.VERIFIED, NOW, 7)

    def test_a_row_of_money_that_is_dropped_is_found_to_the_last_digit(self, bench: Bench) -> None:
        view, day = view_of("costs"), TODAY - 15 * DAY
        bench.edit(drop_row(day))
        bench.load(view)
        bench.be_honest()
        (difference,) = bench.prove(view).differences
        row = list(bench.server.organization.rows("costs", day, day + DAY, BucketWidth.DAY, NOW))[-1]
        assert (difference.bucket.start, difference.metric, difference.unit) == (day, "amount", "usd")
        assert difference.excess == -row["amount"]
        assert isinstance(difference.excess, Decimal)

    def test_an_empty_bucket_differs_from_one_with_rows(self, bench: Bench) -> None:
        view, day = view_of(), TODAY - 15 * DAY

        def empty(answer: Any) -> Any:
            for bucket in answer["data"]:
                bucket["results"] = bucket["results"] if bucket["start_time"] != day else []
            return answer

        bench.edit(empty, grouped=False)
        bench.load(view)
        proof = bench.prove(view)
        assert proof.differing == (Bucket(day, BucketWidth.DAY),)
        assert all(difference.server_value == 0 and difference.local_value for difference in proof.differences)

    def test_a_level_that_differs_is_found(self, bench: Bench) -> None:
        view, day = view_of("vector_stores"), TODAY - 15 * DAY
        bench.edit(drop_row(day))
        bench.load(view)
        assert bench.prove(view).differing == (Bucket(day, BucketWidth.DAY),)

    def test_what_is_fetched_again_is_to_be_proven_again(self, bench: Bench) -> None:
        view = view_of(chosen=LATELY)
        bench.load(view)
        assert bench.prove(view).verdict is Verdict.VERIFIED
        bench.now += 600
        bench.load(view, refresh=True)
        assert bench.session.completeness(view) == Completeness()

    def test_what_is_not_whole_is_not_proven(self, bench: Bench) -> None:
        view = view_of()
        bench.load(view)
        longer = replace(view, range=DateRange(None, datetime(2026, 11, 1), datetime(2026, 11, 9)))
        assert bench.prove(longer) == Completeness()
        assert bench.session.completeness(view).verdict is Verdict.VERIFIED

    def test_without_a_key_nothing_can_be_asked(self, bench: Bench) -> None:
        bench.session.connect(None)
        with pytest.raises(KeyMissing):
            bench.prove(view_of())

    def test_can_be_stopped(self, bench: Bench) -> None:
        view = view_of()
        bench.load(view)
        stopped = threading.Event()
        stopped.set()
        with pytest.raises(Cancelled):
            bench.session.prove(view, cancelled=stopped)
        assert bench.session.completeness(view) == Completeness()

    def test_erasing_forgets_proofs(self, bench: Bench) -> None:
        view = view_of()
        bench.load(view)
        bench.prove(view)
        bench.session.erase()
        bench.load(view)
        assert bench.session.completeness(view) == Completeness()


class TestGrowth:
    def test_an_open_bucket_that_grew_is_fetched_again(self, bench: Bench) -> None:
        view = view_of(chosen=LATELY)
        bench.load(view)
        before = bench.session.look(view).table.figures[0].total
        bench.now += 3 * 3600
        assert bench.prove(view) == Completeness(Verdict.VERIFIED, int(bench.now), 7)
        assert bench.fetched
        after = bench.session.look(view).table.figures[0].total
        assert before is not None
        assert after is not None
        assert after > before

    def test_a_bucket_that_grows_all_the_time_is_no_difference(self, bench: Bench) -> None:
        view = view_of(chosen=LATELY)
        bench.load(view)

        def later(request: Request) -> Fault | None:
            bench.now += 0 if "group_by" in request.query else 3600
            return None

        bench.server.faults = later
        proof = bench.prove(view)
        assert proof.verdict is Verdict.VERIFIED
        assert proof.growing == (Bucket(TODAY, BucketWidth.DAY),)

    def test_an_open_bucket_with_a_row_dropped_always_differs(self, bench: Bench) -> None:
        view = view_of(chosen=LATELY)
        bench.edit(drop_row(TODAY))
        bench.load(view)
        assert bench.prove(view).differing == (Bucket(TODAY, BucketWidth.DAY),)

    def test_an_open_bucket_of_which_too_much_is_held_differs(self, bench: Bench) -> None:
        view = view_of(chosen=LATELY)
        bench.load(view)
        bench.edit(lambda answer: fewer(answer, TODAY), grouped=False)
        bench.server.requests.clear()
        proof = bench.prove(view)
        assert {(item.bucket.start, item.metric, item.excess) for item in proof.differences} == {
            (TODAY, "num_model_requests", Decimal(1))
        }
        assert len(bench.server.requests) == 1

    def test_a_settled_bucket_of_which_more_is_told_differs(self, bench: Bench) -> None:
        view, day = view_of(), TODAY - 15 * DAY
        bench.edit(lambda answer: fewer(answer, day))
        bench.load(view)
        bench.be_honest()
        assert [item.excess for item in bench.prove(view).differences] == [-1]


def fewer(answer: Any, day: int) -> Any:
    """One request fewer in the first row of a bucket."""
    for bucket in answer["data"]:
        if bucket["start_time"] == day:
            bucket["results"][0]["num_model_requests"] -= 1
    return answer


class TestConsistency:
    def test_the_demo_is_consistent(self, bench: Bench) -> None:
        view = view_of(chosen=LATELY)
        bench.load(view)
        assert bench.session.breaches(view).count == 0

    def test_a_bent_count_is_found(self, bench: Bench) -> None:
        view, day = view_of(), TODAY - 15 * DAY

        def bend(answer: Any) -> Any:
            for bucket in answer["data"]:
                if bucket["start_time"] == day:
                    bucket["results"][0]["input_cached_tokens"] += 5
            return answer

        bench.edit(bend)
        bench.load(view)
        found = bench.session.breaches(view)
        assert found.count == 2
        by_whole = {breach.identity.whole: breach for breach in found.listed}
        assert by_whole.keys() == {"input_tokens", "input_cached_tokens"}
        assert by_whole["input_tokens"].parts_sum - by_whole["input_tokens"].whole == 5
        assert by_whole["input_cached_tokens"].parts_sum - by_whole["input_cached_tokens"].whole == -5
        assert {breach.bucket for breach in found.listed} == {Bucket(day, BucketWidth.DAY)}
