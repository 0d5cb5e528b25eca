"""Adds up the usage that a line item could bill, day by day."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.spend import MEASURES, Target

LARGEST: Final = 2**53
"""Larger daily figures aren't compared: quantities come as doubles, which can't hold them."""

_DATE: Final = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|(?:19|20)\d{6}|(?:0[1-9]|1[0-2])[0-3]\d)(?=$|-preview$)")
_ORDINARY_TIERS: Final = frozenset({None, "default", "auto"})


@dataclass(frozen=True, slots=True)
class UsedSeries:
    """The usage of one dataset (`service`), model and service tier: each metric by day, (days,) whole numbers.

    A metric that is null in every row is missing. Measures that were computed row by row may be given, too, by
    their names in MEASURES: sums of metrics aren't exact where only some rows have `input_uncached_tokens`.
    """

    service: str
    model: str | None
    tier: str | None
    metrics: Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """All usage of those days that were fetched: day numbers since the epoch, (days,), ascending."""

    days: NDArray[np.int64]
    series: Sequence[UsedSeries]


class UsageIndex:
    """Answers how much of a target was used by day, and which models and service tiers there are."""

    def __init__(self, usage: DailyUsage) -> None:
        self.days = usage.days
        self._series: dict[tuple[str, str | None], list[UsedSeries]] = defaultdict(list)
        self._by_base: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._cells: dict[tuple[str, str | None, str], dict[str | None, NDArray[np.int64]]] = {}
        self._targets: dict[Target, NDArray[np.int64]] = {}
        for series in usage.series:
            self._series[series.service, series.model].append(series)
            if series.model is not None:
                self._by_base[series.service, _without_date(series.model)].add(series.model)

    @property
    def owners(self) -> list[tuple[str, str | None]]:
        """Every pair of service and model, in order."""
        return sorted(self._series, key=lambda owner: (owner[0], owner[1] or ""))

    def model(self, service: str, name: str) -> str | None:
        """Return the used model that `name` means: the equal one, or the only one that is equal without its date.

        `ft-BASE` means the only fine-tuned model `ft:BASE:…`.
        """
        if (service, name) in self._series:
            return name
        base = _without_date(name)
        same = [model for model in self._by_base[service, base] if base in (name, model)]
        if name.startswith("ft-"):
            tuned = f"ft:{name.removeprefix('ft-')}:"
            same += [
                model for owner, model in self._series if owner == service and model and model.startswith(tuned)
            ]
        return same[0] if len(same) == 1 else None

    def has_service(self, service: str) -> bool:
        """Report whether there is any usage of the service."""
        return any(owner == service for owner, _ in self._series)

    def tiers(self, service: str, model: str | None) -> list[str]:
        """Return the service tiers that a model was used in, in order."""
        owners = self._series if model is None else [(service, model)]
        names = {series.tier for owner in owners if owner[0] == service for series in self._series[owner]}
        return sorted(name for name in names if name is not None)

    def special_tiers(self, service: str, model: str | None) -> list[str]:
        """Return the tiers that can have prices, and so line items, of their own."""
        return [tier for tier in self.tiers(service, model) if tier not in _ORDINARY_TIERS]

    def used(self, target: Target) -> NDArray[np.int64]:
        """Return how much a target used by day, (days,). Don't change the array."""
        key = replace(target, token_kind="", per_unit=1)
        if key not in self._targets:
            total = np.zeros(len(self.days), np.int64)
            owners = [(target.service, target.model)] if target.model is not None else self.owners
            for service, model in owners:
                if service == target.service:
                    for tier, count in self._by_tier(service, model, target.measure).items():
                        if tier == target.tier if target.tier is not None else tier not in target.other_tiers:
                            total += count
            self._targets[key] = total
        return self._targets[key]

    def _by_tier(self, service: str, model: str | None, measure: str) -> dict[str | None, NDArray[np.int64]]:
        key = (service, model, measure)
        if key not in self._cells:
            tiers: dict[str | None, NDArray[np.int64]] = {}
            for series in self._series.get((service, model), ()):
                count = _measured(measure, series, len(self.days))
                tiers[series.tier] = tiers[series.tier] + count if series.tier in tiers else count
            self._cells[key] = {tier: count for tier, count in tiers.items() if count.any()}
        return self._cells[key]


def _without_date(model: str) -> str:
    return _DATE.sub("", model)


def _measured(name: str, series: UsedSeries, size: int) -> NDArray[np.int64]:
    measure = MEASURES[name]
    for given in (name, measure.given):
        if given in series.metrics:
            return _limited(series.metrics[given])
    total = np.zeros(size, np.int64)
    for metric in measure.plus:
        if metric in series.metrics:
            total = total + _limited(series.metrics[metric])
    for metric in measure.minus:
        if metric in series.metrics:
            total = total - _limited(series.metrics[metric])
    return np.maximum(total, 0)


def _limited(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the figures as 64-bit numbers that can be added; also from an array of Python's whole numbers."""
    return np.minimum(count, LARGEST).astype(np.int64, copy=False)
