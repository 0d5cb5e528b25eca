"""Defines how a bucket is stored in several grains, and which grain answers a view.

The finest grain of a bucket is stored under the dataset's name; a further one, such as costs by user where the user
can't be combined with other dimensions, under a name of its own, like a dataset with fewer dimensions.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import DATASETS, dataset_named
from usage_viewer.domain.coverage import Coverage, HeldBuckets, bucket_runs
from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.grants import Grants
from usage_viewer.domain.period import BucketRun, BucketWidth

_SEPARATOR = "@"
_BETWEEN = "+"


def grain_of(dataset: Dataset, grain: Collection[str]) -> Dataset:
    """Return the dataset that stores a further grain: `dataset` with the requested dimensions of `grain` only."""
    dimensions = tuple(item for item in dataset.dimensions if not item.requested or item.name in grain)
    names = _BETWEEN.join(item.name for item in dimensions if item.requested)
    return replace(dataset, name=f"{dataset.name}{_SEPARATOR}{names}", dimensions=dimensions)


def dataset_name(stored: str) -> str:
    """Return the name of the dataset of which `stored` is the finest or a further grain."""
    return stored.partition(_SEPARATOR)[0]


def is_further_grain(stored: str) -> bool:
    """Report whether `stored` is the name of a further grain."""
    return _SEPARATOR in stored


def stored_dataset(name: str) -> Dataset:
    """Return the dataset that is stored under `name`, also that of a further grain. Raises InputError."""
    base, separator, grain = name.partition(_SEPARATOR)
    dataset = dataset_named(base)
    return grain_of(dataset, grain.split(_BETWEEN)) if separator else dataset


def is_stored_dataset(name: str) -> bool:
    """Report whether this version knows the dataset and every dimension of its grain."""
    return dataset_name(name) in DATASETS and stored_dataset(name).name == name


@dataclass(frozen=True, slots=True)
class GrainBuckets:
    """The stored buckets of one grain: `stored_as` is the name they are stored under."""

    stored_as: str
    grain: frozenset[str]
    held: Mapping[BucketWidth, HeldBuckets]


@dataclass(frozen=True, slots=True)
class GrainChoice:
    """The buckets that answer a view: those of `grains`, each from the one that `numbers` gives by width.

    `numbers[width]` (n,) belongs to `held[width].starts`.
    """

    grains: tuple[GrainBuckets, ...]
    held: Mapping[BucketWidth, HeldBuckets]
    numbers: Mapping[BucketWidth, NDArray[np.int32]]

    def split(self, coverage: Coverage) -> list[tuple[GrainBuckets, Coverage]]:
        """Return each grain that is read, with the part of `coverage.read` that it answers; at least one."""
        if len(self.grains) == 1:
            return [(self.grains[0], coverage)]
        runs: list[list[BucketRun]] = [[] for _ in self.grains]
        for run in coverage.read:
            starts = np.arange(run.start, run.end, run.width.seconds, dtype=np.int64)
            numbers = self._numbers(run.width, starts)
            for number in np.unique(numbers).tolist():
                runs[number] += bucket_runs(starts[numbers == number], run.width, run.width)
        parts = [
            (grain, replace(coverage, read=tuple(read)))
            for grain, read in zip(self.grains, runs, strict=True)
            if read
        ]
        return parts or [(self.grains[0], coverage)]

    def _numbers(self, width: BucketWidth, starts: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the number of the grain of each stored bucket; a bucket that is not stored gets that before it."""
        held = self.held[width].starts
        positions = np.clip(np.searchsorted(held, starts, side="right") - 1, 0, len(held) - 1)
        return self.numbers[width][positions]


def choose_grains(grains: Sequence[GrainBuckets], needed: Collection[str]) -> GrainChoice:
    """Choose, bucket by bucket, the finest grain that has all `needed` dimensions, or else most of them.

    `grains` has at least one entry, the finest first.
    """
    wanted = frozenset(needed)
    if len(grains) == 1:
        return GrainChoice(tuple(grains), grains[0].held, {})
    order = sorted(
        range(len(grains)), key=lambda number: (-len(wanted & grains[number].grain), -len(grains[number].grain))
    )
    held: dict[BucketWidth, HeldBuckets] = {}
    numbers: dict[BucketWidth, NDArray[np.int32]] = {}
    for width in dict.fromkeys(width for grain in grains for width in grain.held):
        starts, fetched = np.empty(0, np.int64), np.empty(0, np.int64)
        chosen = np.empty(0, np.int32)
        for number in order:
            buckets = grains[number].held.get(width, HeldBuckets.nothing())
            usable = ~np.isin(buckets.starts, starts, assume_unique=True)
            starts = np.concatenate([starts, buckets.starts[usable]])
            fetched = np.concatenate([fetched, buckets.fetched[usable]])
            chosen = np.concatenate([chosen, np.full(int(usable.sum()), number, np.int32)])
        in_order = np.argsort(starts, kind="stable")
        held[width] = HeldBuckets(starts[in_order], fetched[in_order])
        numbers[width] = chosen[in_order]
    return GrainChoice(tuple(grains), held, numbers)


def runs_to_refine(runs: Iterable[BucketRun], needed: Collection[str], grants: Grants) -> list[BucketRun]:
    """Return the buckets that lack some of the `needed` dimensions although nothing is known to refuse them."""
    parts = (part for run in runs for part in _cut(run, grants.edges()))
    return [part for part in parts if grants.refusal_of(needed, part.start) is None]


@dataclass(frozen=True, slots=True)
class GrainRuns:
    """Buckets to fetch in one grain: `dataset` is what they are stored as, `grouped` the request's grouping."""

    dataset: Dataset
    grouped: tuple[str, ...]
    runs: tuple[BucketRun, ...]


def plan_grains(
    dataset: Dataset, runs: Iterable[BucketRun], needed: Collection[str], grants: Grants
) -> list[GrainRuns]:
    """Return in which grain each bucket of `runs` is fetched for a view that needs some dimensions.

    It is the finest grain that is granted, or one with the needed dimensions where the finest lacks one of them.
    """
    planned: dict[tuple[str, tuple[str, ...]], tuple[Dataset, list[BucketRun]]] = {}
    for run in runs:
        for part in _cut(run, grants.edges()):
            stored_as, grouped = _grain_for(dataset, needed, grants, part.start)
            planned.setdefault((stored_as.name, grouped), (stored_as, []))[1].append(part)
    return [GrainRuns(stored_as, grouped, tuple(parts)) for (_, grouped), (stored_as, parts) in planned.items()]


def merge_grains(parts: Iterable[GrainRuns]) -> list[GrainRuns]:
    """Return the parts with one entry for each grain."""
    merged: dict[tuple[str, tuple[str, ...]], GrainRuns] = {}
    for part in parts:
        key = part.dataset.name, part.grouped
        known = merged.get(key)
        merged[key] = part if known is None else replace(known, runs=(*known.runs, *part.runs))
    return list(merged.values())


def _grain_for(
    dataset: Dataset, needed: Collection[str], grants: Grants, start: int
) -> tuple[Dataset, tuple[str, ...]]:
    finest = grants.finest(dataset.group_by, start)
    if set(needed) <= set(finest):
        return dataset, finest
    for extra in (dataset.always_grouped, ()):
        grain = tuple(name for name in dataset.group_by if name in needed or name in extra)
        if set(needed) <= set(grain) and grants.refusal_of(grain, start) is None:
            return grain_of(dataset, grain), grain
    return dataset, finest


def _cut(run: BucketRun, edges: Iterable[int]) -> list[BucketRun]:
    """Cut a run at the first bucket from each edge on."""
    cuts = sorted({run.width.ceil(edge) for edge in edges if run.start < run.width.ceil(edge) < run.end})
    bounds = [run.start, *cuts, run.end]
    return [BucketRun(run.width, *pair) for pair in pairwise(bounds)]
