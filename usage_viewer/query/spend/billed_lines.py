"""Holds the quantities of line items by day, in single tokens, seconds or images."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.query.spend.daily_usage import LARGEST
from usage_viewer.query.spend.proposals import per_unit

LineKey = tuple[str, str | None]
"""A line item and the unit of its quantities."""

MIN_TOKENS: Final = 1000
"""Smaller quantities are equal by chance."""
_ROUNDING: Final = 0.01  # a minute has no exact decimal fraction


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line item with its quantities on closed days, by day number (days since the epoch, UTC)."""

    text: str
    unit: str | None
    quantities: Mapping[int, Decimal]

    @property
    def key(self) -> LineKey:
        """The line item and its unit."""
        return self.text, self.unit


@dataclass(frozen=True, slots=True)
class BilledQuantity:
    """The quantities of one or more line items on the days of the usage, (days,), in single tokens.

    `has` tells the days with a quantity, `is_whole` those whose quantity is a whole number. Other days are 0.
    """

    quantity: NDArray[np.int64]
    has: NDArray[np.bool_]
    is_whole: NDArray[np.bool_]

    @classmethod
    def sum(cls, parts: Sequence["BilledQuantity"]) -> "BilledQuantity":
        """Return the quantities of several line items together."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.sum([part.quantity for part in parts], axis=0),
            np.any([part.has for part in parts], axis=0),
            np.all([part.is_whole for part in parts], axis=0),
        )


def billed_quantities(lines: Iterable[BilledLine], days: NDArray[np.int64]) -> dict[LineKey, BilledQuantity]:
    """Return the quantities of each line item on `days` (day numbers, ascending), in the order of their texts."""
    parts: dict[LineKey, list[BilledQuantity]] = {}
    for line in lines:
        parts.setdefault(line.key, []).append(_on_days(line, days))
    return {key: BilledQuantity.sum(parts[key]) for key in sorted(parts, key=lambda key: (key[0], key[1] or ""))}


def _on_days(line: BilledLine, days: NDArray[np.int64]) -> BilledQuantity:
    size = len(days)
    given = np.fromiter(line.quantities, np.int64, len(line.quantities))
    values = np.array([float(number) for number in line.quantities.values()], np.float64) * per_unit(line.unit)
    places = np.searchsorted(days, given)
    kept = (places < size) & (np.abs(values) < LARGEST)
    if size:
        kept &= days[np.minimum(places, size - 1)] == given
    places, values = places[kept], values[kept]
    nearest = np.rint(values)
    quantity, has, is_whole = np.zeros(size, np.int64), np.zeros(size, np.bool_), np.ones(size, np.bool_)
    quantity[places] = nearest.astype(np.int64)
    has[places] = True
    is_whole[places] = np.abs(values - nearest) < _ROUNDING
    return BilledQuantity(quantity, has, is_whole)
