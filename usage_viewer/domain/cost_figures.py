"""Adds the figures of cost to a usage dataset: they come from the dataset `spend`, row by row of the table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from usage_viewer.domain.catalog import COSTS, SPEND, Dataset, Dimension, Metric
from usage_viewer.domain.coverage import Coverage, combine_coverage
from usage_viewer.domain.dataset import UnitPrice
from usage_viewer.domain.extent import count
from usage_viewer.domain.period import BucketRun
from usage_viewer.domain.spend_dataset import money_metric

COST: Final = "cost"
SAVINGS: Final = ("saved_by_cache", "saved_by_batch")
COST_BY_TOKENS: Final = "cost_by_tokens"
COST_ASSUMED: Final = "cost_assumed"
COST_PARTS: Final = {"amount": COST, "amount_by_tokens": COST_BY_TOKENS, "amount_assumed": COST_ASSUMED}
"""The metrics of spend that a usage dataset with costs has under other names; the parts tell how cost was found."""


COST_FIGURES: Final = (
    COST,
    "cost_per_request",
    "cost_per_million_tokens",
    *SAVINGS,
    COST_BY_TOKENS,
    COST_ASSUMED,
)
"""The names of the figures of cost that a usage dataset may have."""

_CURRENCY: Final = Dimension("currency", "Currency", requested=False, capitals=True)
_REQUESTS: Final = ("num_model_requests", "num_requests")
_TOKENS: Final = ("input_tokens", "output_tokens")


def has_costs(dataset: Dataset) -> bool:
    """Report whether the figures of cost were added to the dataset."""
    return dataset.has_column(COST) and not dataset.computed


def with_costs(dataset: Dataset) -> Dataset:
    """Return a usage dataset with the figures of cost; any other dataset unchanged."""
    if dataset.computed or dataset.name == COSTS.name or dataset.has_levels or dataset.has_column(COST):
        return dataset
    requests = [name for name in _REQUESTS if dataset.has_column(name)][:1]
    tokens = tuple(name for name in _TOKENS if dataset.has_column(name))
    cost = money_metric(COST, "Cost", "What the bill attributes to this usage. Missing where no cost is known.")
    parts = [_renamed(SPEND.metric(name), own) for name, own in COST_PARTS.items() if own != COST]
    has_savings = dataset.has_dimension("batch")  # as have those with cached tokens
    savings = [SPEND.metric(name) for name in SAVINGS if has_savings]
    prices = [UnitPrice("cost_per_request", "Cost per request", "per request", COST, (name,)) for name in requests]
    if tokens:
        prices.append(
            UnitPrice("cost_per_million_tokens", "Cost per 1M tokens", "per 1M tokens", COST, tokens, per=1_000_000)
        )
    return replace(
        dataset,
        dimensions=(*dataset.dimensions, _CURRENCY),
        metrics=(*dataset.metrics, cost, *savings, *parts),
        prices=(*dataset.prices, *prices),
    )


def _renamed(part: Metric, name: str) -> Metric:
    return replace(part, name=name, help=part.help.replace("Amount", "Cost"))


def with_shown_costs(dataset: Dataset, columns: Iterable[str]) -> Dataset:
    """Return the dataset with the figures of cost if one of these columns is such a figure."""
    return dataset if set(COST_FIGURES).isdisjoint(columns) else with_costs(dataset)


def without_costs(dataset: Dataset) -> Dataset:
    """Return the dataset as it was before `with_costs`."""
    if not has_costs(dataset):
        return dataset
    return replace(
        dataset,
        dimensions=tuple(item for item in dataset.dimensions if item != _CURRENCY),
        metrics=tuple(metric for metric in dataset.metrics if metric.name not in COST_FIGURES),
        prices=tuple(price for price in dataset.prices if price.name not in COST_FIGURES),
    )


def costs_of(service: str) -> Dataset:
    """Return the part of the dataset `spend` that belongs to the usage of one dataset."""
    return replace(SPEND, service=service)


@dataclass(frozen=True, slots=True)
class CostCoverage:
    """The days of a view of usage whose cost is known and those whose cost is not.

    `by_default`: the view shows cost because it is stored, not because the user asked for it; nothing is fetched
    for it then. `refused`: the organization does not make costs available.
    """

    days: Coverage
    by_default: bool = False
    refused: bool = False

    @property
    def to_fetch(self) -> tuple[BucketRun, ...]:
        """The runs of days to fetch."""
        return () if self.by_default or self.refused else self.days.to_fetch

    @property
    def summary(self) -> str:
        """The days with a known cost, like "20 of 30 days loaded, 2 days may still change"."""
        days = self.days
        parts = ["not available" if self.refused and not days.stored else days.summary]
        if days.may_grow:
            parts.append(f"{count(days.may_grow, 'day')} may still change")
        return ", ".join(parts)


def combine_costs(parts: Sequence[CostCoverage]) -> CostCoverage | None:
    """Combine the days of several organizations; None without any."""
    if not parts:
        return None
    days = combine_coverage([part.days for part in parts])
    return CostCoverage(days, parts[0].by_default, all(part.refused for part in parts))
