"""What an hour of a combination's requests uses, by dataset: leaves that can be split, and wholes summed from them.

Every whole is computed from its leaves wherever it is needed, so the identities hold for every row at every width.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.demo.world.catalog import CACHE_WRITES_SINCE, DETAIL_SINCE
from usage_viewer.demo.world.combinations import Combinations
from usage_viewer.demo.world.draw import Draw
from usage_viewer.demo.world.rhythm import HOUR
from usage_viewer.domain.catalog import Dataset

Ints = NDArray[np.int64]
Columns = dict[str, Ints]


@dataclass(frozen=True, slots=True)
class Recipe:
    """`lead` counts the requests themselves; each of `per` is (metric, average for a request)."""

    lead: str
    per: tuple[tuple[str, float], ...] = ()


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


def missing_before(dataset: Dataset) -> dict[str, int]:
    """The metrics that older answers don't give, with the moment (a day's beginning) since when they do."""
    given = {metric.name for metric in dataset.metrics}
    since = dict.fromkeys(_DETAIL, DETAIL_SINCE) | dict.fromkeys(_CACHE_WRITES, CACHE_WRITES_SINCE)
    return {name: moment for name, moment in since.items() if name in given}


def leaves(
    combinations: Combinations, draw: Draw, hours: Ints, combination: NDArray[np.int32], requests: Ints
) -> Columns:
    """The metrics (beside the lead) that are drawn, for n (hour, combination) pairs."""
    recipe = RECIPES[combinations.dataset.name]
    if not combinations.dataset.identities:
        return {
            name: _scaled(requests, average * (0.7 + 0.6 * draw.uniform(hours, combination, 10 + number)))
            for number, (name, average) in enumerate(recipe.per)
        }
    return _tokens(combinations, draw, hours, combination, requests)


def _scaled(count: Ints, factor: NDArray[np.float64]) -> Ints:
    return (count * factor).astype(np.int64)


def _tokens(
    combinations: Combinations, draw: Draw, hours: Ints, combination: NDArray[np.int32], requests: Ints
) -> Columns:
    def trait(name: str) -> NDArray[np.float64]:
        return np.array([getattr(model, name) for model in combinations.models], np.float64)[combination]

    def noise(channel: int) -> NDArray[np.float64]:
        return 0.55 + 0.45 * draw.uniform(hours, combination, channel)

    total = _scaled(requests, trait("tokens_in") * (0.5 + draw.uniform(hours, combination, 10)))
    # Most combinations reuse their prompts well, some hardly at all.
    habit = draw.uniform(np.zeros_like(hours), combination, 11) ** 0.6
    cached = _scaled(total, trait("cached") * habit * noise(12))
    written = _scaled(total, trait("writes") * noise(13) * (hours * HOUR >= CACHE_WRITES_SINCE))
    written_long = _scaled(written, 0.6 * draw.uniform(np.zeros_like(hours), combination, 14))
    plain = total - cached - written
    audio, image = _scaled(plain, trait("audio_in") * noise(15)), _scaled(plain, trait("image_in") * noise(16))
    cached_audio = _scaled(cached, trait("audio_in") * noise(17))
    cached_image = _scaled(cached, 0.5 * trait("image_in") * noise(18))
    out = _scaled(requests, trait("tokens_out") * (0.5 + draw.uniform(hours, combination, 19)))
    out_audio, out_image = (
        _scaled(out, trait("audio_out") * noise(20)),
        _scaled(out, trait("image_out") * noise(21)),
    )
    return {
        "input_text_tokens": plain - audio - image,
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


def with_wholes(dataset: Dataset, metrics: Columns) -> Columns:
    """All metrics of the dataset, in its order: the wholes of its identities are added."""
    given = dict(metrics)
    # A whole can be a part of another one, which stands before it in the list.
    for identity in reversed(dataset.identities):
        given[identity.whole] = sum((given[part] for part in identity.parts[1:]), given[identity.parts[0]])
    return {metric.name: given[metric.name] for metric in dataset.metrics}
