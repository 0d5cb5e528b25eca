"""Checks missing, stale and stored buckets against an oracle in plain Python."""

from datetime import UTC, date, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.coverage import (
    BRIDGED,
    FETCH_AGAIN_AFTER,
    SETTLED_AFTER,
    Coverage,
    HeldBuckets,
    Refresh,
    cover,
    request_windows,
)
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Span, periods
from usage_viewer.domain.zones import zone_of

DAY, HOUR = BucketWidth.DAY.seconds, BucketWidth.HOUR.seconds
FIRST = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
LATE = FIRST + 365 * DAY


def _stored(starts: list[int], fetched: int | list[int]) -> HeldBuckets:
    times = [fetched] * len(starts) if isinstance(fetched, int) else fetched
    return HeldBuckets(np.array(starts, np.int64), np.array(times, np.int64))


def _cover(
    days: int, stored: dict[BucketWidth, HeldBuckets], now: int, *, refresh: Refresh = Refresh.NEEDED
) -> Coverage:
    cut = periods(Span(FIRST, FIRST + days * DAY), Granularity.DAY, UTC)
    return cover(cut, cut.segments(), stored, now, refresh=refresh)


def test_an_empty_store_lacks_every_bucket() -> None:
    coverage = _cover(30, {}, LATE)
    assert coverage.missing == (BucketRun(BucketWidth.DAY, FIRST, FIRST + 30 * DAY),)
    assert (coverage.stored, coverage.expected, coverage.complete) == (0, 30, False)
    assert coverage.summary == "0 of 30 days loaded"
    assert coverage.newest_fetch is None


def test_a_gap_is_missing_and_the_rest_is_read() -> None:
    days = [FIRST + index * DAY for index in (0, 1, 4)]
    coverage = _cover(5, {BucketWidth.DAY: _stored(days, LATE)}, LATE)
    assert coverage.missing == (BucketRun(BucketWidth.DAY, FIRST + 2 * DAY, FIRST + 4 * DAY),)
    assert coverage.read == (
        BucketRun(BucketWidth.DAY, FIRST, FIRST + 2 * DAY),
        BucketRun(BucketWidth.DAY, FIRST + 4 * DAY, FIRST + 5 * DAY),
    )
    assert coverage.summary == "3 of 5 days loaded"


def test_hours_replace_a_day_only_if_all_are_stored() -> None:
    hours = [FIRST + index * HOUR for index in range(24)]
    coverage = _cover(1, {BucketWidth.HOUR: _stored(hours, LATE)}, LATE)
    assert coverage.complete
    assert coverage.read == (BucketRun(BucketWidth.HOUR, FIRST, FIRST + DAY),)
    assert not _cover(1, {BucketWidth.HOUR: _stored(hours[:-1], LATE)}, LATE).complete


def test_the_later_fetch_of_a_day_and_its_hours_is_read() -> None:
    hours = [FIRST + index * HOUR for index in range(24)]
    stored = {BucketWidth.DAY: _stored([FIRST], LATE), BucketWidth.HOUR: _stored(hours, LATE + 9)}
    assert _cover(1, stored, LATE + 10).read[0].width is BucketWidth.HOUR
    stored = {BucketWidth.DAY: _stored([FIRST], LATE + 9), BucketWidth.HOUR: _stored(hours, LATE + 9)}
    assert _cover(1, stored, LATE + 10).read[0].width is BucketWidth.DAY


def test_an_open_bucket_is_stale_after_five_minutes() -> None:
    now = FIRST + DAY + 3600
    stored = {BucketWidth.DAY: _stored([FIRST], now - FETCH_AGAIN_AFTER)}
    assert _cover(1, stored, now).stale == (BucketRun(BucketWidth.DAY, FIRST, FIRST + DAY),)
    stored = {BucketWidth.DAY: _stored([FIRST], now - FETCH_AGAIN_AFTER + 1)}
    assert _cover(1, stored, now).stale == ()
    assert _cover(1, stored, now, refresh=Refresh.GROWING).stale
    assert _cover(1, stored, now).may_grow == 1


def test_a_bucket_fetched_72_hours_after_its_end_is_settled() -> None:
    settled = FIRST + DAY + SETTLED_AFTER
    assert _cover(1, {BucketWidth.DAY: _stored([FIRST], settled)}, LATE, refresh=Refresh.GROWING).stale == ()
    assert _cover(1, {BucketWidth.DAY: _stored([FIRST], settled - 1)}, LATE).stale != ()


def test_future_buckets_are_not_missing() -> None:
    now = FIRST + 2 * DAY + 5
    coverage = _cover(10, {}, now)
    assert (coverage.expected, coverage.future_buckets) == (3, 7)
    assert coverage.missing == (BucketRun(BucketWidth.DAY, FIRST, FIRST + 3 * DAY),)
    assert coverage.summary == "0 of 3 days loaded, 7 still to come"
    earlier = _cover(10, {}, FIRST - 5)
    assert (earlier.expected, earlier.summary) == (0, "10 days still to come")


def test_rest_of_today_is_not_future() -> None:
    zone = zone_of("Asia/Kolkata")
    span = DateRange.days(date(2026, 11, 1), date(2026, 11, 1)).resolve(0, zone)
    cut = periods(span, Granularity.DAY, zone)
    assert cover(cut, cut.segments(), {}, span.end - 7 * HOUR).future_buckets == 0
    assert cover(cut, cut.segments(), {}, span.start - 3 * DAY).future_buckets == 24 * 60


@given(st.data())
def test_counts_equal_those_of_the_oracle(data: st.DataObject) -> None:
    days = data.draw(st.integers(1, 4))
    now = FIRST + data.draw(st.integers(-DAY, 9 * DAY))
    grid = {
        BucketWidth.DAY: range(FIRST, FIRST + days * DAY, DAY),
        BucketWidth.HOUR: range(FIRST, FIRST + days * DAY, HOUR),
    }
    times = {
        width: data.draw(
            st.dictionaries(st.sampled_from(starts), st.integers(FIRST, FIRST + 9 * DAY), max_size=len(starts))
            if width is BucketWidth.DAY
            else st.just(dict.fromkeys(starts, FIRST + 5 * DAY)).map(dict)
        )
        for width, starts in grid.items()
    }
    for gone in data.draw(st.sets(st.sampled_from(grid[BucketWidth.HOUR]), max_size=3)):
        times[BucketWidth.HOUR].pop(gone)
    stored = {width: _stored(sorted(known), [known[at] for at in sorted(known)]) for width, known in times.items()}
    refresh = data.draw(st.sampled_from(Refresh))
    coverage = _cover(days, stored, now, refresh=refresh)
    missing: set[int] = set()
    stale: set[int] = set()
    last_stored = max(times[BucketWidth.DAY], default=-1)
    begun = {start for start in grid[BucketWidth.DAY] if start < now or start <= last_stored}
    for start in begun:
        hours = [at for at in range(start, start + DAY, HOUR) if at < now]
        fetched = times[BucketWidth.DAY].get(start, -1)
        if hours and all(at in times[BucketWidth.HOUR] for at in hours):
            fetched = max(fetched, min(times[BucketWidth.HOUR][at] for at in hours))
        is_ahead = fetched > now + FETCH_AGAIN_AFTER
        may_grow = start + DAY + SETTLED_AFTER > fetched or is_ahead
        if fetched < 0:
            missing.add(start)
        elif refresh is Refresh.ALL or (
            may_grow and (refresh is Refresh.GROWING or is_ahead or fetched + FETCH_AGAIN_AFTER <= now)
        ):
            stale.add(start)
    assert _days(coverage.missing) == missing
    assert _days(coverage.stale) == stale
    assert _days(coverage.read) == begun - missing
    assert (coverage.expected, coverage.stored) == (len(begun), len(begun) - len(missing))


def _days(segments: tuple[BucketRun, ...]) -> set[int]:
    return {start for segment in segments for start in range(segment.start, segment.end, DAY)}


def test_windows_join_adjacent_runs_and_keep_the_limit() -> None:
    cut = request_windows(
        [
            BucketRun(BucketWidth.DAY, FIRST, FIRST + 20 * DAY),
            BucketRun(BucketWidth.DAY, FIRST + 20 * DAY, FIRST + 40 * DAY),
            BucketRun(BucketWidth.HOUR, FIRST, FIRST + 200 * HOUR),
        ],
        {BucketWidth.DAY: 31, BucketWidth.HOUR: 168},
    )
    assert [part.buckets for part in cut if part.width is BucketWidth.DAY] == [9, 31]
    assert sorted(part.buckets for part in cut if part.width is BucketWidth.HOUR) == [32, 168]
    assert [part.end for part in cut] == sorted((part.end for part in cut), reverse=True)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 90)), max_size=8))
def test_windows_cover_each_needed_bucket_once_and_few_others(runs: list[tuple[int, int]]) -> None:
    segments = [BucketRun(BucketWidth.DAY, FIRST + a * DAY, FIRST + (a + n) * DAY) for a, n in runs]
    cut = request_windows(segments, {BucketWidth.DAY: 31}, {})
    buckets = [start for part in cut for start in range(part.start, part.end, DAY)]
    assert len(buckets) == len(set(buckets))
    wanted = {start for part in segments for start in range(part.start, part.end, DAY)}
    assert wanted <= set(buckets)
    for start in set(buckets) - wanted:
        before = next(start - n * DAY for n in range(1, 5) if start - n * DAY in wanted)
        assert any(before + n * DAY in wanted for n in range(2, BRIDGED + 2))
    assert all(part.buckets <= 31 for part in cut)


def test_runs_with_a_gap_of_one_hour_are_one_window() -> None:
    days = [BucketRun(BucketWidth.HOUR, FIRST + day * DAY, FIRST + day * DAY + 23 * HOUR) for day in range(30)]
    assert len(request_windows(days, {BucketWidth.HOUR: 168}, {})) == 5
    assert len(request_windows(days, {BucketWidth.HOUR: 168})) == 30


def test_a_gap_of_stored_buckets_is_not_fetched() -> None:
    days = [
        BucketRun(BucketWidth.DAY, FIRST, FIRST + DAY),
        BucketRun(BucketWidth.DAY, FIRST + 2 * DAY, FIRST + 3 * DAY),
    ]
    assert len(request_windows(days, {BucketWidth.DAY: 31}, {BucketWidth.HOUR: _stored([FIRST + DAY], LATE)})) == 1
    assert (
        request_windows(days, {BucketWidth.DAY: 31}, {BucketWidth.DAY: _stored([FIRST + DAY], LATE)}) == days[::-1]
    )
    edges = [BucketRun(BucketWidth.HOUR, FIRST + week * 7 * DAY, FIRST + (week * 7 + 1) * DAY) for week in range(4)]
    assert [part.buckets for part in request_windows(edges, {BucketWidth.HOUR: 168})] == [24] * 4


def test_a_year_is_split_at_the_page_limits() -> None:
    year = BucketRun(BucketWidth.DAY, FIRST, FIRST + 365 * DAY)
    assert len(request_windows([year], {BucketWidth.DAY: 31})) == 12
    assert (
        len(request_windows([BucketRun(BucketWidth.HOUR, FIRST, FIRST + 365 * DAY)], {BucketWidth.HOUR: 168})) == 53
    )
