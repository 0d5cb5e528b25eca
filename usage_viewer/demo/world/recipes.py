"""Generates the metrics of a dataset from the number of requests in an hour.

Leaf metrics are drawn and can be split into minutes. Totals are always computed from them, so that the identities
of the dataset hold for each row at each bucket width.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.demo.world.catalog import CACHE_WRITES_SINCE, DETAIL_SINCE
from usage_viewer.demo.world.combinations import Combinations
from usage_viewer.demo.world.draw import RandomStream
from usage_viewer.demo.world.rhythm import HOUR
from usage_viewer.domain.catalog import Dataset

IntArray = NDArray[np.int64]
MetricArrays = dict[str, IntArray]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The metric that counts requests, and the other leaf metrics with their average for a request."""

    request_metric: str
    per_request: tuple[tuple[str, float], ...] = ()


RECIPES: Final[Mapping[str, Recipe]] = {
    "completions": Recipe("num_model_requests"),
    "decisions": Recipe("num_model_requests"),
    "embeddings": Recipe("num_model_requests", (("input_tokens", 420.0),)),
    "moderations": Recipe("num_model_requests", (("input_tokens", 160.0),)),
    "images": Recipe("num_model_requests", (("images", 1.4),)),
    "audio_speeches": Recipe("num_model_requests", (("characters", 310.0),)),
    "audio_transcriptions": Recipe("num_model_requests", (("seconds", 95.0),)),
    "code_interpreter_sessions": Recipe("num_sessions"),
    "file_search_calls": Recipe("num_requests"),
    "web_search_calls": Recipe("num_model_requests", (("num_requests", 1.6),)),
}

_CACHE_WRITES = ("input_cache_write_tokens", "input_cache_write_30m_tokens", "input_cache_write_12h_tokens")
_DETAIL = (
    "input_uncached_tokens",
    *_CACHE_WRITES,
    "input_text_tokens",
    "input_image_tokens",
    "input_cached_text_tokens",
    "input_cached_audio_tokens",
    "input_cached_image_tokens",
    "output_text_tokens",
    "output_image_tokens",
)


def available_since(dataset: Dataset) -> dict[str, int]:
    """Return the metrics that older responses lack, with the time since when they have them (epoch seconds)."""
    names = {metric.name for metric in dataset.metrics}
    since = dict.fromkeys(_DETAIL, DETAIL_SINCE) | dict.fromkeys(_CACHE_WRITES, CACHE_WRITES_SINCE)
    return {name: moment for name, moment in since.items() if name in names}


def draw_leaf_metrics(
    combinations: Combinations,
    stream: RandomStream,
    hours: IntArray,
    combination: NDArray[np.int32],
    requests: IntArray,
) -> MetricArrays:
    """Draw all leaf metrics but the number of requests, for n pairs of hour and combination, shape (n,)."""
    recipe = RECIPES[combinations.dataset.name]
    if not combinations.dataset.identities:
        return {
            name: _scaled(requests, average * (0.7 + 0.6 * stream.uniform(hours, combination, 10 + number)))
            for number, (name, average) in enumerate(recipe.per_request)
        }
    return _tokens(combinations, stream, hours, combination, requests)


def _scaled(count: IntArray, factor: NDArray[np.float64]) -> IntArray:
    return (count * factor).astype(np.int64)


def _tokens(
    combinations: Combinations,
    stream: RandomStream,
    hours: IntArray,
    combination: NDArray[np.int32],
    requests: IntArray,
) -> MetricArrays:
    def trait(name: str) -> NDArray[np.float64]:
        return np.array([getattr(model, name) for model in combinations.models], np.float64)[combination]

    def noise(channel: int) -> NDArray[np.float64]:
        return 0.55 + 0.45 * stream.uniform(hours, combination, channel)

    total = _scaled(requests, trait("tokens_in") * (0.5 + stream.uniform(hours, combination, 10)))
    # Most combinations reuse their prompts often, some hardly ever.
    reuse = stream.uniform(np.zeros_like(hours), combination, 11) ** 0.6
    cached = _scaled(total, trait("cached") * reuse * noise(12))
    written = _scaled(total, trait("writes") * noise(13) * (hours * HOUR >= CACHE_WRITES_SINCE))
    written_long = _scaled(written, 0.6 * stream.uniform(np.zeros_like(hours), combination, 14))
    uncached = total - cached - written
    audio, image = (
        _scaled(uncached, trait("audio_in") * noise(15)),
        _scaled(uncached, trait("image_in") * noise(16)),
    )
    cached_audio = _scaled(cached, trait("audio_in") * noise(17))
    cached_image = _scaled(cached, 0.5 * trait("image_in") * noise(18))
    out = _scaled(requests, trait("tokens_out") * (0.5 + stream.uniform(hours, combination, 19)))
    out_audio, out_image = (
        _scaled(out, trait("audio_out") * noise(20)),
        _scaled(out, trait("image_out") * noise(21)),
    )
    return {
        "input_text_tokens": uncached - audio - image,
        "input_audio_tokens": audio,
        "input_image_tokens": image,
        "input_cached_text_tokens": cached - cached_audio - cached_image,
        "input_cached_audio_tokens": cached_audio,
        "input_cached_image_tokens": cached_image,
        "input_cache_write_30m_tokens": written - written_long,
        "input_cache_write_12h_tokens": written_long,
        "output_text_tokens": out - out_audio - out_image,
        "output_audio_tokens": out_audio,
        "output_image_tokens": out_image,
    }


def add_totals(dataset: Dataset, metrics: MetricArrays) -> MetricArrays:
    """Return all metrics of the dataset, in its order, with the totals of its identities added."""
    complete = dict(metrics)
    # A total can be a part of another one, which comes earlier in the list.
    for identity in reversed(dataset.identities):
        complete[identity.whole] = sum((complete[part] for part in identity.parts[1:]), complete[identity.parts[0]])
    return {metric.name: complete[metric.name] for metric in dataset.metrics}
