"""Finds the mean relative price of a line item's usage on each day, where it is known."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

import numpy as np

from usage_viewer.domain.spend import Factor, UsageClass
from usage_viewer.query.spend.factors import BilledCells, measure_factors
from usage_viewer.query.spend.prices import PricePeriod

ORDINARY_TIERS: Final = frozenset({None, "default", "auto"})
_STEADY_DAYS: Final = 3
_UNITS: Final = 12  # decimal places of an amount

UsedByDay = Mapping[int, Mapping[UsageClass, int]]
"""The usage by class of each day (day number since the epoch, UTC)."""


def daily_mean_factors(
    days: Sequence[int],
    is_whole: Sequence[bool],
    is_alone: Sequence[bool],
    used: UsedByDay,
    factors: Mapping[UsageClass, Factor],
    *,
    tier: str | None = None,
) -> list[Fraction | None]:
    """Return the mean factor of the usage that is billed on each day, (n,); None if it isn't known.

    `is_whole` tells the days whose billed quantity is the usage of the day: batches may be billed later. `is_alone`
    tells those on which no other line item bills the same usage: else it is not known which of them bills the
    batches. `tier` is the only service tier of the line item's usage. While all usage is ordinary, the factor is 1.
    """
    if all(is_ordinary(one, tier) for classes in used.values() for one in classes):
        return [Fraction(1)] * len(days)
    found = list[Fraction | None]()
    for day, whole, alone in zip(days, is_whole, is_alone, strict=True):
        classes = used.get(day, {})
        mean = _mean(classes, factors, tier) if whole else None
        found.append(mean if alone or all(is_ordinary(one, tier) for one in classes) else None)
    return found


def measured_factors(
    days: Sequence[int],
    amounts: Sequence[Decimal],
    is_own: Sequence[bool],
    used: UsedByDay,
    known: Mapping[UsageClass, Factor],
) -> Mapping[UsageClass, Factor]:
    """Return the relative prices of all classes: the known ones, and those that the amounts of days prove.

    `is_own` tells the days on which the line item bills all of its usage alone, (n,) like `days` and `amounts`.
    """
    classes = sorted(
        {one for by_class in used.values() for one in by_class}, key=lambda one: (one.batch, one.tier or "")
    )
    if all(one in known and known[one].measured for one in classes):
        return known
    places = [place for place, own in enumerate(is_own) if own]
    units = np.empty(len(places), np.object_)
    units[:] = [int(amounts[place].scaleb(_UNITS)) for place in places]
    tokens = [[used.get(days[place], {}).get(one, 0) for one in classes] for place in places]
    cells = BilledCells(
        np.array([days[place] for place in places], np.int64),
        units,
        tuple(classes),
        np.array(tokens, np.int64).reshape(len(places), len(classes)),
    )
    found = measure_factors(cells)
    return {one: found[one] if found[one].measured else known.get(one, found[one]) for one in classes}


def are_steady(periods: Sequence[PricePeriod], days: Sequence[int]) -> bool:
    """Report whether no period has fewer than three days.

    Prices that change more often are mixtures: of batches and other usage, in a line item of unknown usage.
    """
    lengths = [sum(one.first_day <= day <= one.last_day for day in days) for one in periods]
    return len(periods) < 2 or min(lengths) >= _STEADY_DAYS


def is_ordinary(one: UsageClass, tier: str | None) -> bool:
    """Report whether usage of a class has the price of the line item, whose usage is of one `tier` or of all."""
    return not one.batch and (one.tier in ORDINARY_TIERS or one.tier == tier)


def _mean(
    classes: Mapping[UsageClass, int], factors: Mapping[UsageClass, Factor], tier: str | None
) -> Fraction | None:
    weights = Fraction()
    for one, count in classes.items():
        factor = factors.get(one)
        if is_ordinary(one, tier):
            weights += count
        elif factor is None or not factor.measured:
            return None
        else:
            weights += factor.value * count
    total = sum(classes.values())
    return weights / total if total else None
