"""Lists what happens to the bill on known days: changed prices, a late day, a day with free tokens."""

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.demo.world.catalog import day

LATE_DAY: Final = 12
"""Day of each month (UTC) whose batches are billed on the next day."""
FREE_DAY: Final = 20
FREE_HOURS: Final = 12
FREE_MODEL: Final = "gpt-5.4-mini"
"""On `FREE_DAY` of each month, the first hours (UTC) of this model are free: they are in usage, not in costs."""

CREDIT_LINE: Final = "complimentary daily tokens"
"""The line item of a credit on each day: negative, without a quantity."""

PRICE_CHANGES: Final[Mapping[str, tuple[tuple[int, Fraction], ...]]] = MappingProxyType(
    {
        "gpt-4o-2024-08-06": ((day("2026-03-02"), Fraction(1, 2)),),
        "gpt-5.1": ((day("2026-08-03"), Fraction(4, 5)),),
        "text-embedding-3-small": ((day("2026-08-03"), Fraction(1, 2)),),
        "gpt-6-astra": ((day("2026-09-15"), Fraction(4, 5)),),
        "o5": ((day("2026-07-06"), Fraction(4, 5)), (day("2026-10-05"), Fraction(3, 4))),
        "gpt-realtime-3": ((day("2026-11-09"), Fraction(5, 4)),),
        "web search tool calls": ((day("2026-11-02"), Fraction(6, 5)),),
    }
)
"""The price of each kind of tokens is multiplied by the fraction from that day on (epoch seconds), by model as in
usage, or by line item of a service without models of its own.
"""


def price_factor(name: str, moment: int) -> Fraction:
    """Return the price at `moment` (epoch seconds) relative to the first one, of a model or line item."""
    factor = Fraction(1)
    for since, change in PRICE_CHANGES.get(name, ()):
        if since <= moment:
            factor *= change
    return factor


def day_of_month(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the day of the month in UTC, 1 to 31, of each time in epoch seconds, (n,)."""
    days = at.astype("datetime64[s]").astype("datetime64[D]")
    months = days.astype("datetime64[M]").astype("datetime64[D]")
    number: NDArray[np.int64] = (days - months).astype(np.int64) + 1
    return number


def is_free_time(at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each time in epoch seconds whether the tokens of `FREE_MODEL` are free, (n,)."""
    is_free: NDArray[np.bool_] = (at % 86400 < FREE_HOURS * 3600) & (day_of_month(at) == FREE_DAY)
    return is_free
