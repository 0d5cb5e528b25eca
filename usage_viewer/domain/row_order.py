"""Sorts many rows stably by several keys in linear time.

Keys are sorted by 16 bits at a time, the lowest first: numpy sorts 16-bit numbers by counting, which is stable. A
million int64 take a third of the time of numpy's fastest other stable sort. Rows in the order of their periods are
sorted in runs of some periods, which fit into the cache.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

RowOrder = NDArray[np.int64]
Key = NDArray[Any]

_DIGIT = 16

_SMALLEST_RUN = 1024
"""Average rows in a run below which the calls cost more than the sort."""


def stable_order(key: Key) -> RowOrder:
    """Return the indices (n,) that sort `key` stably: booleans, integers or floats without NaN."""
    return sort_by(None, key)


def sort_by(order: RowOrder | None, key: Key, *, descending: bool = False) -> RowOrder:
    """Sort `order` (None: the present order) by `key`; ties keep their order."""
    numbers, largest = _as_unsigned(key, descending)
    while True:
        digit = numbers.astype(np.uint16)
        # Only the digit is moved: a quarter of a key, so that more of it fits into the cache.
        permutation = np.argsort(digit if order is None else digit[order], kind="stable")
        order = permutation if order is None else order[permutation]
        largest >>= _DIGIT
        if not largest:
            return order
        numbers >>= numbers.dtype.type(_DIGIT)


def natural(keys: Sequence[Key]) -> RowOrder | None:
    """Return the rows sorted by several keys, the first key first; None if they are sorted already."""
    if not keys:
        return None
    ranges = [(int(key.min(initial=0)), int(key.max(initial=0))) for key in keys]
    spans = [most - least + 1 for least, most in ranges]
    if math.prod(spans) >= 1 << 63:
        order: RowOrder | None = None
        for key in reversed(keys):
            order = sort_by(order, key)
        return order
    combined = np.zeros(len(keys[0]), np.int64)  # one key for all, starting at 0
    for key, (least, _), span in zip(keys, ranges, spans, strict=True):
        combined *= span
        combined += key
        if least:
            combined -= least
    if _ascends(combined):
        return None
    if not _ascends(keys[0]):
        return stable_order(combined)
    return _by_runs(keys[0], combined, math.prod(spans[1:]))


def _by_runs(first: Key, combined: NDArray[np.int64], span: int) -> RowOrder:
    """Return the order of `combined`, whose first key ascends; each of its values spans `span` numbers.

    A run has as many values of the first key as fit into a digit.
    """
    least, most = int(first[0]), int(first[-1])
    before = least - min(0, least)
    step = (1 << _DIGIT) // span
    if not step or (most - least) // step * _SMALLEST_RUN > len(combined):
        return stable_order(combined)
    edges = np.searchsorted(first, np.arange(least, most + step + 1, step)).tolist()
    order = np.empty(len(combined), np.int64)
    for number, (low, high) in enumerate(pairwise(edges)):
        digit = (combined[low:high] - (before + number * step) * span).astype(np.uint16)
        np.add(np.argsort(digit, kind="stable"), low, out=order[low:high])
    return order


def _ascends(key: Key) -> bool:
    return bool((key[1:] >= key[:-1]).all())


def _as_unsigned(key: Key, descending: bool) -> tuple[NDArray[Any], int]:
    """Return unsigned numbers from 0 in the order of `key`, or the reverse order, and the largest of them."""
    if not len(key):
        return np.empty(0, np.uint16), 0
    if np.issubdtype(key.dtype, np.floating):
        # The bits of a positive float ascend with it, those of a negative float descend; adding 0 turns -0 into 0.
        bits = (key.astype(np.float64) + 0.0).view(np.int64)
        key = np.where(bits < 0, ~bits ^ np.int64(-(2**63)), bits)
    least, most = int(key.min()), int(key.max())
    kind = np.uint16 if most - least < 1 << 16 else np.uint32 if most - least < 1 << 32 else np.uint64
    # Modulo 2^16, 2^32 or 2^64 the difference is right for any signs.
    numbers: NDArray[Any] = key.astype(kind)
    size = 1 << 8 * numbers.itemsize
    if descending:
        np.subtract(kind(most % size), numbers, out=numbers)
    else:
        numbers -= kind(least % size)
    return numbers, most - least
