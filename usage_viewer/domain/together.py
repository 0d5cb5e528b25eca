"""How far a view across organizations is held: what is held of each, counted together."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.period import COARSEST_FIRST, BucketRun


def together(parts: Sequence[Coverage]) -> Coverage:
    """`parts` are of the same periods, one for each organization; there is at least one.

    `read` are the buckets that any of them is read in, the finest where they differ; what is to be fetched isn't
    told apart by organization.
    """
    first = parts[0]
    fetches = [part for part in parts if part.newest_fetch is not None]
    return replace(
        first,
        read=_finest([part.read for part in parts]),
        missing=tuple(dict.fromkeys(segment for part in parts for segment in part.missing)),
        stale=tuple(dict.fromkeys(segment for part in parts for segment in part.stale)),
        expected=sum(part.expected for part in parts),
        held=sum(part.held for part in parts),
        to_come=sum(part.to_come for part in parts),
        still_open=sum(part.still_open for part in parts),
        oldest_fetch=min((part.oldest_fetch or 0 for part in fetches), default=None),
        newest_fetch=max((part.newest_fetch or 0 for part in fetches), default=None),
        organizations=len(parts),
    )


def _finest(reads: Sequence[tuple[BucketRun, ...]]) -> tuple[BucketRun, ...]:
    """Disjoint runs of buckets, ascending; a coarse bucket gives way to the finer ones that make it up."""
    if len(reads) == 1 or all(read == reads[0] for read in reads):
        return reads[0]
    runs: list[BucketRun] = []
    taken = np.empty(0, np.int64)  # starts of coarser buckets that finer ones stand for
    for width in reversed(COARSEST_FIRST):
        starts = [
            np.arange(segment.start, segment.end, width.seconds, dtype=np.int64)
            for read in reads
            for segment in read
            if segment.width is width
        ]
        if not starts:
            continue
        own = np.unique(np.concatenate(starts))
        own = own[~np.isin(own, np.unique(taken - taken % width.seconds))]
        taken = np.concatenate([taken, own])
        if len(own):
            edges = [0, *(np.flatnonzero(np.diff(own) != width.seconds) + 1).tolist(), len(own)]
            for low, high in pairwise(edges):
                runs.append(BucketRun(width, int(own[low]), int(own[high - 1]) + width.seconds))
    return tuple(sorted(runs, key=lambda segment: segment.start))
