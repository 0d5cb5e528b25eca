"""Stable orders of many rows, one key after another, as quick as numpy's quickest sort allows.

Sorting a million int64 stably by index takes numpy a quarter of a second, sorting plain values a part of that.
So a key and the row's number are packed into one int64 wherever both fit, and the numbers are read off the result.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Key = NDArray[np.generic]

def stable_order(key: Key) -> Rows:
    """The indices that sort `key`, equal ones in their order."""
    packed = _packed(key)
    if packed is not None:
        numbers, bits = packed
        numbers.sort()
        return numbers & ((1 << bits) - 1)
    order = np.argsort(key)
    ranked = key[order]
    equal = ranked[1:] == ranked[:-1]
    if equal.any():
        tied = np.flatnonzero(np.concatenate([[False], equal]) | np.concatenate([equal, [False]]))
        rows = order[tied]
        order[tied] = rows[np.lexsort((rows, key[rows]))]
    return order


def then(order: Rows | None, key: Key) -> Rows:
    """`order` (None: as the rows stand) sorted by `key`, ties as they were."""
    if order is None:
        return stable_order(key)
    return order[stable_order(key[order])]


def natural(keys: Sequence[Key]) -> Rows | None:
    """The rows by the first key first; None where they stand so already."""
    if not keys:
        return None
    combined = _combined(keys)
    if combined is None:
        order: Rows | None = None
        for key in reversed(keys):
            order = then(order, key)
        return order
    if (combined[1:] >= combined[:-1]).all():
        return None
    return stable_order(combined)


def _combined(keys: Sequence[Key]) -> NDArray[np.int64] | None:
    """One key for all, if it fits in 63 bits."""
    combined = np.zeros(len(keys[0]), np.int64)
    size = 1
    for key in keys:
        whole = key.astype(np.int64)
        least, most = int(whole.min(initial=0)), int(whole.max(initial=0))
        span = most - least + 1
        size *= span
        if size >= 1 << 63:
            return None
        combined = combined * span + (whole - least)
    return combined


def _packed(key: Key) -> tuple[NDArray[np.int64], int] | None:
    """Each key above its row's number of so many bits, if both fit into 63."""
    if key.dtype != np.bool_ and not np.issubdtype(key.dtype, np.integer):
        return None
    if not len(key):
        return np.empty(0, np.int64), 0
    least, most = int(key.min()), int(key.max())
    bits = (len(key) - 1).bit_length()
    if (most - least).bit_length() + bits > 63:
        return None
    numbers = key.astype(np.int64)
    numbers -= least
    numbers <<= bits
    numbers |= np.arange(len(key), dtype=np.int64)
    return numbers, bits
