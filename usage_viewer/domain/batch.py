"""`Batch`: decoded buckets as columns, on their way from the API to the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.view import Value

Combination = tuple[Value, ...]
"""One value for each of a dataset's dimensions, in their order there."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Whole buckets of one dataset and width, n rows in all.

    `starts` are all the buckets (epoch seconds), also those without rows: each of them is known completely.
    `combinations` holds each combination of dimensions once; row i belongs to bucket `bucket[i]` (its start) and to
    `combinations[combination[i]]`. `grouped` are the dimensions that were asked for: another one is null because
    it was not asked for. `extra[i]` is a JSON object of the fields that this version doesn't know, or None.
    """

    dataset: str
    width: BucketWidth
    starts: NDArray[np.int64]
    grouped: tuple[str, ...]
    combinations: list[Combination]
    bucket: NDArray[np.int64]
    combination: NDArray[np.int32]
    metrics: Mapping[str, NumberColumn]
    extra: Mapping[int, str] = field(default_factory=dict)  # row -> JSON object of unknown fields

    def __len__(self) -> int:
        return len(self.bucket)


def concat_batches(batches: Sequence[Batch]) -> Batch:
    """Several of one dataset, width and grouping, with different buckets, as one."""
    if len(batches) == 1:
        return batches[0]
    numbers: dict[Combination, int] = {}
    renumbered: list[NDArray[np.int32]] = []
    extra: dict[int, str] = {}
    rows = 0
    for batch in batches:
        new = [numbers.setdefault(combination, len(numbers)) for combination in batch.combinations]
        renumbered.append(np.array(new, np.int32)[batch.combination])
        extra.update((rows + row, text) for row, text in batch.extra.items())
        rows += len(batch)
    return replace(
        batches[0],
        starts=np.sort(np.concatenate([batch.starts for batch in batches])),
        combinations=list(numbers),
        bucket=np.concatenate([batch.bucket for batch in batches]),
        combination=np.concatenate(renumbered),
        metrics={name: _joined([batch.metrics[name] for batch in batches]) for name in batches[0].metrics},
        extra=extra,
    )


def _joined(parts: Sequence[NumberColumn]) -> NumberColumn:
    missing = None
    if any(part.missing is not None for part in parts):
        missing = np.concatenate(
            [np.zeros(len(part), np.bool_) if part.missing is None else part.missing for part in parts]
        )
    return NumberColumn(np.concatenate([part.values for part in parts]), missing)
