"""Lists the datasets: one entry for each endpoint of the organization's usage and costs, and the computed ones.

A new endpoint is a new entry in `DATASETS`; no other module names its fields.
Source: the organization Usage API (`/organization/usage/…`, `/organization/costs`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from usage_viewer.domain.dataset import (
    MONEY,
    Aggregation,
    Dataset,
    Derived,
    Dimension,
    Figure,
    Identity,
    Kind,
    Metric,
    OverTime,
    PageLimit,
    Statistic,
)
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.spend_dataset import spend_dataset

__all__ = [
    "API_DATASETS",
    "COSTS",
    "DATASETS",
    "MONEY",
    "SPEND",
    "Aggregation",
    "Dataset",
    "Derived",
    "Dimension",
    "Figure",
    "Identity",
    "Kind",
    "Metric",
    "OverTime",
    "PageLimit",
    "Statistic",
    "dataset_named",
    "registered",
]

PROJECT = Dimension("project_id", "Project", "project_ids", names="project")
NO_USER: Final = "No user"
"""The text of a record without a user, such as a service account's."""

NO_KEY: Final = "No key (web or deleted)"
"""The text of a record without an API key: used in the web, or the key was deleted."""

USER = Dimension("user_id", "User", "user_ids", names="user", none=NO_USER)
API_KEY = Dimension("api_key_id", "API key", "api_key_ids", names="api_key", none=NO_KEY)
MODEL = Dimension("model", "Model", "models")
BATCH = Dimension("batch", "Batch", "batch", boolean=True)
SERVICE_TIER = Dimension("service_tier", "Service tier")
API_SOURCE = Dimension("api_source", "API source")

USAGE_LIMITS: Mapping[BucketWidth, PageLimit] = {
    BucketWidth.MINUTE: PageLimit(60, 1440),
    BucketWidth.HOUR: PageLimit(24, 168),
    BucketWidth.DAY: PageLimit(7, 31),
}

REQUESTS = Metric("num_model_requests", "Requests", "requests", required=True, help="Requests to the model.")


def _tokens(name: str, label: str, text: str, required: bool = False) -> Metric:
    return Metric(name, label, "tokens", required=required, help=text)


TOKEN_METRICS = (
    REQUESTS,
    _tokens("input_tokens", "Input", "All input tokens: uncached, cached and written to the cache.", True),
    _tokens("input_cached_tokens", "Cached", "Input tokens read from the cache; part of Input."),
    _tokens("output_tokens", "Output", "All output tokens: text, audio and image.", True),
    _tokens("input_uncached_tokens", "Uncached input", "Input tokens neither read from nor written to the cache."),
    _tokens("input_cache_write_tokens", "Cache writes", "Input tokens written to the cache; part of Input."),
    _tokens("input_cache_write_30m_tokens", "Cache writes, 30 min", "Written to the cache for 30 minutes."),
    _tokens("input_cache_write_12h_tokens", "Cache writes, 12 h", "Written to the cache for 12 hours."),
    _tokens("input_text_tokens", "Text input", "Uncached text input."),
    _tokens("input_audio_tokens", "Audio input", "Uncached audio input; already part of Input."),
    _tokens("input_image_tokens", "Image input", "Uncached image input."),
    _tokens("input_cached_text_tokens", "Cached text", "Text part of Cached."),
    _tokens("input_cached_audio_tokens", "Cached audio", "Audio part of Cached."),
    _tokens("input_cached_image_tokens", "Cached images", "Image part of Cached."),
    _tokens("output_text_tokens", "Text output", "Text part of Output."),
    _tokens("output_audio_tokens", "Audio output", "Audio part of Output."),
    _tokens("output_image_tokens", "Image output", "Image part of Output."),
)

TOKEN_DERIVED = (
    Derived(
        "total_tokens", "Total", "tokens", Kind.COUNT, ("input_tokens", "output_tokens"), help="Input and output."
    ),
    Derived(
        "cached_share",
        "Cached share",
        "%",
        Kind.SHARE,
        ("input_cached_tokens",),
        ("input_tokens",),
        help="Cached divided by Input.",
    ),
    Derived(
        "tokens_per_request",
        "Tokens per request",
        "tokens",
        Kind.RATIO,
        ("input_tokens", "output_tokens"),
        ("num_model_requests",),
        help="Input and output, divided by Requests.",
    ),
)

TOKEN_COLUMNS = (
    "num_model_requests",
    "input_tokens",
    "input_cached_tokens",
    "output_tokens",
    "total_tokens",
    "cached_share",
    "tokens_per_request",
)

TOKEN_IDENTITIES = (
    Identity("input_tokens", ("input_uncached_tokens", "input_cached_tokens", "input_cache_write_tokens")),
    Identity("input_uncached_tokens", ("input_text_tokens", "input_audio_tokens", "input_image_tokens")),
    Identity(
        "input_cached_tokens",
        ("input_cached_text_tokens", "input_cached_audio_tokens", "input_cached_image_tokens"),
    ),
    Identity("input_cache_write_tokens", ("input_cache_write_30m_tokens", "input_cache_write_12h_tokens")),
    Identity("output_tokens", ("output_text_tokens", "output_audio_tokens", "output_image_tokens")),
)


def _token_dataset(name: str, label: str) -> Dataset:
    return Dataset(
        name=name,
        label=label,
        path=f"/organization/usage/{name}",
        object=f"organization.usage.{name}.result",
        dimensions=(PROJECT, USER, API_KEY, MODEL, BATCH, SERVICE_TIER, API_SOURCE),
        metrics=TOKEN_METRICS,
        page_limits=USAGE_LIMITS,
        default_columns=TOKEN_COLUMNS,
        default_grouping=("model",),
        derived=TOKEN_DERIVED,
        identities=TOKEN_IDENTITIES,
    )


def _usage(
    name: str,
    label: str,
    dimensions: tuple[Dimension, ...],
    metrics: tuple[Metric, ...],
    grouping: str,
    derived: tuple[Derived, ...] = (),
    over_time: tuple[OverTime, ...] = (),
    result: str = "",
) -> Dataset:
    return Dataset(
        name=name,
        label=label,
        path=f"/organization/usage/{name}",
        object=f"organization.usage.{result or name}.result",
        dimensions=dimensions,
        metrics=metrics,
        page_limits=USAGE_LIMITS,
        default_columns=(*(metric.name for metric in metrics), *(item.name for item in derived)),
        default_grouping=(grouping,),
        derived=derived,
        over_time=over_time,
    )


def _mean_and_peak(level: Metric) -> tuple[OverTime, ...]:
    name, label, unit = level.name, level.label, level.unit
    shown = level.unit_in_heading
    return (
        OverTime(f"{name}_mean", f"{label}, mean", unit, Kind.RATIO, name, Statistic.MEAN, unit_in_heading=shown),
        OverTime(f"{name}_peak", f"{label}, peak", unit, level.kind, name, Statistic.PEAK, unit_in_heading=shown),
    )


WHO_AND_MODEL = (PROJECT, USER, API_KEY, MODEL)

PER_REQUEST = Derived(
    "tokens_per_request", "Tokens per request", "tokens", Kind.RATIO, ("input_tokens",), ("num_model_requests",)
)

STORED = Metric(
    "usage_bytes", "Stored", "bytes", aggregation=Aggregation.LEVEL, required=True, unit_in_heading=True
)

COSTS = Dataset(
    name="costs",
    label="Costs",
    path="/organization/costs",
    object="organization.costs.result",
    dimensions=(
        replace(PROJECT, name_field="project_name"),
        Dimension("user_id", "User", names="user", name_field="user_email", none=NO_USER),
        Dimension("line_item", "Line item", "line_items"),
        API_KEY,
        API_SOURCE,
        Dimension("currency", "Currency", requested=False, path=("amount", "currency"), capitals=True),
        Dimension("quantity_unit", "Quantity unit", requested=False),
    ),
    metrics=(
        Metric(
            "amount",
            "Amount",
            MONEY,
            Kind.DECIMAL,
            path=("amount", "value"),
            help="Billed amount.",
            unit_from="currency",
        ),
        Metric(
            "quantity",
            "Quantity",
            "units",
            Kind.DECIMAL,
            help="Amount used, in the line item's unit.",
            unit_from="quantity_unit",
        ),
    ),
    page_limits={BucketWidth.DAY: PageLimit(7, 180)},
    default_columns=("amount",),
    default_grouping=("line_item",),
    always_grouped=("line_item",),  # quantities are given only with it
    largest_first="amount",
)

_entries: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        COSTS,
        _token_dataset("completions", "Completions"),
        _token_dataset("decisions", "Decisions"),
        _usage(
            "embeddings",
            "Embeddings",
            WHO_AND_MODEL,
            (REQUESTS, _tokens("input_tokens", "Input", "Input tokens.", True)),
            "model",
            (PER_REQUEST,),
        ),
        _usage(
            "moderations",
            "Moderations",
            WHO_AND_MODEL,
            (REQUESTS, _tokens("input_tokens", "Input", "Input tokens.", True)),
            "model",
            (PER_REQUEST,),
        ),
        _usage(
            "images",
            "Images",
            (*WHO_AND_MODEL, Dimension("size", "Size", "sizes"), Dimension("source", "Source", "sources")),
            (REQUESTS, Metric("images", "Images", "images", required=True)),
            "model",
        ),
        _usage(
            "audio_speeches",
            "Audio speeches",
            WHO_AND_MODEL,
            (REQUESTS, Metric("characters", "Characters", "characters", required=True)),
            "model",
        ),
        _usage(
            "audio_transcriptions",
            "Audio transcriptions",
            WHO_AND_MODEL,
            (REQUESTS, Metric("seconds", "Seconds", "seconds", required=True)),
            "model",
        ),
        _usage(
            "vector_stores",
            "Vector stores",
            (PROJECT,),
            (STORED,),
            "project_id",
            over_time=_mean_and_peak(STORED),
        ),
        _usage(
            "code_interpreter_sessions",
            "Code interpreter sessions",
            (PROJECT,),
            (Metric("num_sessions", "Sessions", "sessions", required=True),),
            "project_id",
        ),
        _usage(
            "file_search_calls",
            "File search calls",
            (PROJECT, USER, API_KEY, Dimension("vector_store_id", "Vector store", "vector_store_ids")),
            (Metric("num_requests", "Calls", "calls", required=True),),
            "project_id",
            result="file_searches",
        ),
        _usage(
            "web_search_calls",
            "Web search calls",
            (*WHO_AND_MODEL, Dimension("context_level", "Context level", "context_levels"), API_SOURCE),
            (REQUESTS, Metric("num_requests", "Calls", "calls", required=True)),
            "model",
            result="web_searches",
        ),
    )
}

SPEND = spend_dataset(_entries)
"""The costs, each row split over the usage that it bills. Computed on this computer, see `domain.spend`."""

_every = {SPEND.name: SPEND, **_entries}

API_DATASETS: Mapping[str, Dataset] = MappingProxyType(_entries)
"""The datasets that the API has, by name; only `registered` changes it."""

DATASETS: Mapping[str, Dataset] = MappingProxyType(_every)
"""All datasets by name: the computed ones first, then those of the API; only `registered` changes it."""


@contextmanager
def registered(dataset: Dataset) -> Iterator[None]:
    """Add a dataset to the whole program while the context lasts.

    Raises ValueError for a name that is taken.
    """
    if dataset.name in _every:
        raise ValueError(f"{dataset.name} is already registered")
    _every[dataset.name] = _entries[dataset.name] = dataset
    try:
        yield
    finally:
        del _every[dataset.name], _entries[dataset.name]


def dataset_named(name: str) -> Dataset:
    """Return the dataset with this name. Raises InputError."""
    try:
        return DATASETS[name]
    except KeyError:
        raise InputError(
            name, title="There is no such dataset", hint="Choose one of: " + ", ".join(DATASETS) + "."
        ) from None
