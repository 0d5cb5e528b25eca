"""Describes the computed dataset `spend`: the rows of the bill, each split over the usage that it bills."""

from collections.abc import Mapping
from dataclasses import replace

from usage_viewer.domain.dataset import MONEY, Dataset, Dimension, Kind, Metric, UnitPrice
from usage_viewer.domain.spend import Attribution, Reason

_USAGE_DIMENSIONS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source")
_ATTRIBUTIONS = (
    (Attribution.BILLED, "billed"),
    (Attribution.BY_TOKENS, "attributed by tokens"),
    (Attribution.ASSUMED_FACTOR, "assumed factor"),
)
_REASONS = (
    (Reason.NO_COUNTERPART, "no usage is reported for it"),
    (Reason.USAGE_MISSING, "usage is missing"),
    (Reason.CREDIT, "credit"),
    (Reason.UNRECOGNISED, "line item not recognized"),
)
_PRICE = UnitPrice(
    "price",
    "Price",
    "per 1M tokens or unit",
    "priced_amount",
    ("priced_quantity",),
    help="For 1 million tokens, or for one unit of another quantity.",
)


def spend_dataset(api_datasets: Mapping[str, Dataset]) -> Dataset:
    """Return the dataset that is computed from these, by name: `costs`, `completions` and the others with usage."""
    costs, completions = api_datasets["costs"], api_datasets["completions"]
    services = tuple((dataset.name, dataset.label) for dataset in api_datasets.values())
    return Dataset(
        name="spend",
        label="Spend",
        path="",
        object="",
        dimensions=(
            Dimension("service", "Service", labels=services),
            *(completions.dimension(name) for name in _USAGE_DIMENSIONS),
            Dimension("line_item", "Line item"),
            Dimension("token_kind", "Token kind"),
            Dimension("attribution", "Attribution", labels=_ATTRIBUTIONS),
            Dimension("reason", "Reason without usage", labels=_REASONS),
            Dimension("currency", "Currency", requested=False, capitals=True),
            Dimension("quantity_unit", "Quantity unit", requested=False),
        ),
        metrics=_metrics(costs),
        prices=(_PRICE,),
        page_limits=costs.page_limits,
        default_columns=("amount", "amount_by_tokens", "amount_assumed"),
        default_grouping=("model", "reason"),
        largest_first="amount",
        computed=True,
        origin="computed from costs and usage",
    )


def money_metric(name: str, label: str, help: str) -> Metric:
    """Return a metric whose amounts are in the currency of their row."""
    return Metric(name, label, MONEY, Kind.DECIMAL, help=help, unit_from="currency")


def _metrics(costs: Dataset) -> tuple[Metric, ...]:
    return (
        replace(costs.metric("amount"), path=(), help="Part of the billed amount that this usage caused."),
        replace(costs.metric("quantity"), help="Part of the billed quantity, in the line item's unit."),
        money_metric(
            "amount_by_tokens",
            "Attributed by tokens",
            "Part of Amount that was split by usage. The rest of Amount is billed as it is.",
        ),
        money_metric(
            "amount_assumed",
            "By an assumed factor",
            "Part of Amount that was split by usage, at a price of batches or service tiers that is assumed.",
        ),
        money_metric(
            "saved_by_cache",
            "Saved by cache",
            "Cached tokens at the day's own price of uncached input, less what they cost.",
        ),
        money_metric(
            "saved_by_batch",
            "Saved by batch",
            "Usage in batches at the day's own price outside of batches, less what it cost.",
        ),
        money_metric(
            "priced_amount",
            "Amount with a quantity",
            "Amount of the line items that have a quantity; credits have none.",
        ),
        Metric(
            "priced_quantity",
            "Quantity in price units",
            "units",
            Kind.DECIMAL,
            help="Millions of tokens, or the quantity in another unit.",
            unit_from="quantity_unit",
        ),
    )
