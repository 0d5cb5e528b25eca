"""Defines `Batch`: decoded buckets as columns, passed from the API to the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.names import Name
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.view_parts import Value

Combination = tuple[Value, ...]
"""One value for each dimension of a dataset, in the dataset's order of dimensions."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Holds complete buckets of one dataset and width, with n rows in total.

    `starts` lists the start of every bucket (epoch seconds, sorted), including the buckets without rows.
    `bucket` (n,) is the start of each row's bucket in epoch seconds. `combination` (n,) is each row's index into
    `combinations`, which holds each combination of dimensions once. `metrics` holds a column of length n for each
    metric. `grouped` lists the requested dimensions (`group_by`); every other dimension is null because it was not
    requested. `extra` maps a row's index to a JSON object of the fields that this version doesn't know. `names` are
    those that came with the rows; any list of names is newer.
    """

    dataset: str
    width: BucketWidth
    starts: NDArray[np.int64]
    grouped: tuple[str, ...]
    combinations: list[Combination]
    bucket: NDArray[np.int64]
    combination: NDArray[np.int32]
    metrics: Mapping[str, NumberColumn]
    extra: Mapping[int, str] = field(default_factory=dict)  # row index -> JSON object
    names: tuple[Name, ...] = ()

    def __len__(self) -> int:
        return len(self.bucket)


def concat_batches(batches: Sequence[Batch]) -> Batch:
    """Combine batches of one dataset, width and grouping, whose buckets differ, into one batch."""
    if len(batches) == 1:
        return batches[0]
    index_of: dict[Combination, int] = {}
    renumbered: list[NDArray[np.int32]] = []
    extra: dict[int, str] = {}
    rows = 0
    for batch in batches:
        new = [index_of.setdefault(combination, len(index_of)) for combination in batch.combinations]
        renumbered.append(np.array(new, np.int32)[batch.combination])
        extra.update((rows + row, text) for row, text in batch.extra.items())
        rows += len(batch)
    return replace(
        batches[0],
        starts=np.sort(np.concatenate([batch.starts for batch in batches])),
        combinations=list(index_of),
        bucket=np.concatenate([batch.bucket for batch in batches]),
        combination=np.concatenate(renumbered),
        metrics={name: _concat_columns([batch.metrics[name] for batch in batches]) for name in batches[0].metrics},
        extra=extra,
        names=tuple(dict.fromkeys(name for batch in batches for name in batch.names)),
    )


def _concat_columns(parts: Sequence[NumberColumn]) -> NumberColumn:
    missing = None
    if any(part.missing is not None for part in parts):
        missing = np.concatenate(
            [np.zeros(len(part), np.bool_) if part.missing is None else part.missing for part in parts]
        )
    return NumberColumn(np.concatenate([part.values for part in parts]), missing)
