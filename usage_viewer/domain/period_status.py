"""Defines `PeriodStatus`: whether a period is in progress, may still change or is final."""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.coverage import Coverage, HeldBuckets
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.verification import Bucket, open_buckets


class PeriodStatus(IntEnum):
    """Lists the statuses of a period or bucket; of several organizations' statuses, the largest applies."""

    FINAL = 0
    MAY_CHANGE = 1
    IN_PROGRESS = 2


def bucket_status(bucket: Bucket, now: int, *, may_grow: bool) -> PeriodStatus:
    """Return the status of a stored bucket at `now` (epoch seconds)."""
    if now < bucket.end:
        return PeriodStatus.IN_PROGRESS
    return PeriodStatus.MAY_CHANGE if may_grow else PeriodStatus.FINAL


def period_statuses(coverage: Coverage, stored: Mapping[BucketWidth, HeldBuckets], now: int) -> NDArray[np.int8]:
    """Return the `PeriodStatus` of each period, (periods,), at `now` (epoch seconds).

    Only a period that contains `now` is in progress. A period may change if the server may still add to a stored
    bucket of it.
    """
    bounds = coverage.periods.bounds
    statuses = np.zeros(len(coverage.periods), np.int8)
    for segment in coverage.read:
        if segment.width not in stored:
            continue
        starts = np.arange(segment.start, segment.end, segment.width.seconds, dtype=np.int64)
        fetched = stored[segment.width].find(starts)
        growing = starts[(fetched >= 0) & (open_buckets(starts, segment.width, fetched) | (fetched > now))]
        statuses[np.searchsorted(bounds, growing, side="right") - 1] = PeriodStatus.MAY_CHANGE
    statuses[(bounds[:-1] <= now) & (now < bounds[1:])] = PeriodStatus.IN_PROGRESS
    return statuses
