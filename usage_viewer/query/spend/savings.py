"""Computes what caches and batches have saved: at the own prices of the same day, in whole units of 10^-12."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.view_parts import Value
from usage_viewer.query.spend.exact_numbers import LIMIT, UNIT, ExactNumbers, Integers, mul_div, sums

_CACHED: Final = "cached input"
_SAME: Final = ("service", "model", "service_tier", "currency", "quantity_unit")
"""The dimensions in which saved usage and the usage with the ordinary price are equal."""

_MOST: Final = 5 * 10**13
"""Larger amounts don't fit the stored decimals: they are not known."""


class OwnPrices:
    """The prices of each day and class of usage: those of a model and kind of tokens, batches apart."""

    def __init__(
        self,
        columns: Mapping[str, Sequence[Value]],
        day: Integers,
        cell: Integers,
        amount: ExactNumbers,
        quantity: ExactNumbers,
    ) -> None:
        """Add up rows of spend, (n,): `cell` is a position in the `columns` of values, `day` a number from 0 on."""
        self._classes, self._uncached, self._unbatched = _classes(columns)
        self._day, self._cell = day, cell
        self._tokens = quantity.whole + quantity.units // UNIT
        self._is_billed, self._has_amount = quantity.sign() > 0, amount.known
        self._size = 1 + int(self._classes.max(initial=-1))
        classes = self._classes[cell]
        priced = np.flatnonzero(self._is_billed & amount.known & (classes >= 0))
        self._keys, groups = np.unique(day[priced] * self._size + classes[priced], return_inverse=True)
        size = len(self._keys)
        wholes, units = (sums(column[priced], groups, size) for column in (amount.whole, amount.units))
        amounts = wholes.astype(np.object_) * UNIT + units
        tokens = sums(quantity.whole[priced], groups, size) + sums(quantity.units[priced], groups, size) // UNIT
        divisors = np.maximum(tokens, 1)
        each = abs(amounts) // divisors
        self._is_price = (tokens > 0) & (each < LIMIT).astype(np.bool_)
        self._signs = np.array([-1 if value < 0 else 1 for value in amounts], np.int64)
        self._each = np.where(self._is_price, each, 0).astype(np.int64)
        self._rest, self._divisors = (abs(amounts) % divisors).astype(np.int64), divisors

    def uncached(self) -> ExactNumbers:
        """Return what cached input would have cost as other input."""
        return self._at(self._uncached)

    def unbatched(self) -> ExactNumbers:
        """Return what batches would have cost as other usage."""
        return self._at(self._unbatched)

    def _at(self, ordinary: Integers) -> ExactNumbers:
        """Return the cost of each row at the price of another class on the same day. It is rounded towards 0."""
        size = len(self._cell)
        whole, units, is_known = np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.bool_)
        classes = ordinary[self._cell]
        rows = np.flatnonzero((classes >= 0) & self._is_billed & self._has_amount)
        wanted = self._day[rows] * self._size + classes[rows]
        found = np.searchsorted(self._keys, wanted)
        exists = np.isin(wanted, self._keys[self._is_price])
        rows, found = rows[exists], found[exists]
        tokens, each = self._tokens[rows], self._each[found]
        total: NDArray[Any] = mul_div(tokens, self._rest[found], self._divisors[found])[0]
        if int(tokens.max(initial=0)) * int(each.max(initial=0)) < LIMIT:
            total = total + tokens * each
        else:
            total = total + tokens.astype(np.object_) * each
        fits = (total // UNIT < _MOST).astype(np.bool_)
        total, rows, signs = total[fits], rows[fits], self._signs[found[fits]]
        whole[rows], units[rows] = (signs * part.astype(np.int64) for part in (total // UNIT, total % UNIT))
        is_known[rows] = True
        return ExactNumbers(whole, units, np.zeros(size, np.int64), is_known)


def _classes(columns: Mapping[str, Sequence[Value]]) -> tuple[Integers, Integers, Integers]:
    """Return the class of each combination, and the classes with the ordinary price of its cache and its batch.

    -1: none.
    """
    keys = list(zip(*(columns[name] for name in (*_SAME, "batch", "token_kind")), strict=True))
    numbers: dict[tuple[Value, ...], int] = {}
    for key in keys:
        if key[0] is not None and key[-1] is not None:
            numbers.setdefault(key, len(numbers))
    uncached, unbatched = np.full(len(numbers), -1), np.full(len(numbers), -1)
    for (*same, batch, kind), number in numbers.items():
        assert kind is not None
        if kind.endswith(_CACHED):
            uncached[number] = numbers.get((*same, batch, kind.replace(_CACHED, "input")), -1)
        if batch == "true":
            unbatched[number] = numbers.get((*same, "false", kind), -1)
    own = np.array([numbers.get(key, -1) for key in keys], np.int64)
    if not numbers:
        return own, own, own
    return own, np.where(own >= 0, uncached[own], -1), np.where(own >= 0, unbatched[own], -1)
