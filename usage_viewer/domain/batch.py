"""`Batch`: decoded buckets as columns, on their way from the API to the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.figures import Figures
from usage_viewer.domain.period import Width
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
    width: Width
    starts: NDArray[np.int64]
    grouped: tuple[str, ...]
    combinations: list[Combination]
    bucket: NDArray[np.int64]
    combination: NDArray[np.int32]
    metrics: Mapping[str, Figures]
    extra: Mapping[int, str] = field(default_factory=dict)  # row -> JSON object of unknown fields

    def __len__(self) -> int:
        return len(self.bucket)
