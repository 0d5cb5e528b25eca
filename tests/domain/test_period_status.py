"""A period is in progress before its end, may change until it is final, and then has no mark."""

from datetime import UTC

import numpy as np
import pytest

from usage_viewer.domain.coverage import SETTLED_AFTER, HeldBuckets, cover
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Span, periods
from usage_viewer.domain.period_status import PeriodStatus, bucket_status, period_statuses
from usage_viewer.domain.verification import Bucket

DAY = 86400
T0 = 1_793_491_200  # 2026-11-01 00:00 UTC, a Sunday
FINAL, MAY_CHANGE, IN_PROGRESS = PeriodStatus.FINAL, PeriodStatus.MAY_CHANGE, PeriodStatus.IN_PROGRESS


def statuses_at(now: int, fetched: int, per: Granularity = Granularity.DAY, days: int = 6) -> list[int]:
    """Return the statuses at `now` of periods whose begun days were all fetched at `fetched`."""
    begun = min(days, -(-(now - T0) // DAY))
    local = {BucketWidth.DAY: HeldBuckets(T0 + np.arange(begun, dtype=np.int64) * DAY, np.full(begun, fetched))}
    span = Span(T0, T0 + days * DAY)
    coverage = cover(periods(span, per, UTC), [BucketRun(BucketWidth.DAY, span.start, span.end)], local, now)
    return [int(status) for status in period_statuses(coverage, local, now)]


def test_day_is_in_progress_then_may_change_then_final() -> None:
    now = T0 + 4 * DAY + DAY // 2
    assert statuses_at(now, now) == [FINAL, MAY_CHANGE, MAY_CHANGE, MAY_CHANGE, IN_PROGRESS, FINAL]
    at_midnight = T0 + 5 * DAY
    assert statuses_at(at_midnight, at_midnight)[4:] == [MAY_CHANGE, IN_PROGRESS]


def test_last_week_is_not_in_progress() -> None:
    now = T0 + 9 * DAY + 60  # Tuesday; weeks begin on Monday the 2nd and the 9th
    assert statuses_at(now, now, Granularity.WEEK, 15) == [FINAL, MAY_CHANGE, IN_PROGRESS]


def test_period_stays_changeable_until_it_is_fetched_again() -> None:
    later = T0 + 60 * DAY
    early = T0 + 6 * DAY
    assert statuses_at(later, early) == [FINAL, FINAL, FINAL, MAY_CHANGE, MAY_CHANGE, MAY_CHANGE]
    assert statuses_at(later, later) == [FINAL] * 6


def test_status_follows_the_time_of_the_result_alone() -> None:
    fetched = T0 + 2 * DAY - 1
    assert statuses_at(fetched, fetched, days=2) == [MAY_CHANGE, IN_PROGRESS]
    assert statuses_at(fetched + 1, fetched, days=2) == [MAY_CHANGE, MAY_CHANGE]


def test_period_without_stored_usage_is_not_marked() -> None:
    none = {BucketWidth.DAY: HeldBuckets.nothing()}
    span = Span(T0, T0 + 2 * DAY)
    days = periods(span, Granularity.DAY, UTC)
    coverage = cover(days, [BucketRun(BucketWidth.DAY, span.start, span.end)], none, T0 + 3 * DAY)
    assert period_statuses(coverage, none, T0 + 3 * DAY).tolist() == [FINAL, FINAL]


@pytest.mark.parametrize(
    ("now", "may_grow", "status"),
    [
        (T0 + DAY - 1, True, IN_PROGRESS),
        (T0 + DAY, True, MAY_CHANGE),
        (T0 + DAY + SETTLED_AFTER, False, FINAL),
    ],
)
def test_status_of_a_bucket(now: int, may_grow: bool, status: PeriodStatus) -> None:
    assert bucket_status(Bucket(T0, BucketWidth.DAY), now, may_grow=may_grow) is status
