"""Adds the figures of cost to a usage dataset: they come from the dataset `spend`, row by row of the table."""

from dataclasses import replace
from typing import Final

from usage_viewer.domain.catalog import COSTS, SPEND, Dataset, Dimension
from usage_viewer.domain.dataset import UnitPrice
from usage_viewer.domain.spend_dataset import money_metric

COST: Final = "cost"
SAVINGS: Final = ("saved_by_cache", "saved_by_batch")
COST_FIGURES: Final = (COST, "cost_per_request", "cost_per_million_tokens", *SAVINGS)
"""The names of the figures of cost that a usage dataset may have."""

_CURRENCY: Final = Dimension("currency", "Currency", requested=False)
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
        metrics=(*dataset.metrics, cost, *savings),
        prices=(*dataset.prices, *prices),
    )


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
