"""The models that the synthetic organization uses, with invented properties and prices, by dataset."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final


def day(text: str) -> int:
    """Return the start of an ISO date in UTC, in epoch seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


DETAIL_SINCE: Final = day("2026-02-01")
"""Earlier usage lacks the parts of input and output tokens (the fields are absent)."""
CACHE_WRITES_SINCE: Final = day("2026-06-01")
"""Earlier usage lacks cache writes (the fields are null, or absent before `DETAIL_SINCE`)."""
LINE_ITEMS_SINCE: Final = day("2026-05-01")
"""Earlier line items are named "model, input", later ones "model, input_tokens"."""
FOREVER: Final = day("2200-01-01")


@dataclass(frozen=True, slots=True)
class Model:
    """A model. Prices are in dollars for a million tokens; `cached` to `image_out` are fractions of tokens."""

    name: str
    input_price: float
    output_price: float
    since: int = 0
    until: int = FOREVER
    tokens_in: int = 2400  # average for a request
    tokens_out: int = 420
    cached: float = 0.45  # largest fraction read from the cache
    writes: float = 0.0  # largest fraction written to the cache
    audio_in: float = 0.0
    audio_out: float = 0.0
    image_in: float = 0.0
    image_out: float = 0.0
    share: float = 1.0  # weight of the model in the random choice


COMPLETION_MODELS: Final = (
    Model("gpt-6-astra", 2.50, 20.0, day("2026-06-01"), writes=0.12, image_in=0.06, share=3.0),
    Model("gpt-6-astra-mini", 0.40, 3.20, day("2026-06-01"), tokens_in=1600, writes=0.10, share=3.0),
    Model("gpt-6-astra-nano", 0.08, 0.60, day("2026-07-15"), tokens_in=700, tokens_out=90, writes=0.05, share=2.0),
    Model("gpt-5.4-2026-03-05", 1.75, 14.0, day("2026-03-05"), image_in=0.08, share=2.5),
    Model("gpt-5.4-mini", 0.25, 2.0, day("2026-03-05"), tokens_in=1300, tokens_out=260, share=2.5),
    Model("gpt-5.1", 1.25, 10.0, image_in=0.05, share=2.0),
    Model("gpt-5.1-codex", 1.25, 10.0, tokens_in=14_000, tokens_out=1900, cached=0.85, share=1.5),
    Model(
        "ft:gpt-4.1-mini-2025-04-14:northwind::triage-3",
        0.40,
        1.60,
        until=day("2026-09-30"),
        tokens_in=900,
        cached=0.25,
    ),
    Model("gpt-4o-2024-08-06", 2.50, 10.0, until=day("2026-07-31"), cached=0.2, image_in=0.15),
    Model("o5", 9.0, 36.0, day("2026-04-20"), tokens_in=5200, tokens_out=4800, writes=0.08),
    Model("o5-mini", 1.10, 4.40, day("2026-04-20"), tokens_in=2600, tokens_out=2100, writes=0.08),
    Model(
        "gpt-realtime-3",
        4.0,
        16.0,
        day("2026-05-12"),
        tokens_in=3800,
        tokens_out=900,
        cached=0.7,
        audio_in=0.72,
        audio_out=0.66,
    ),
    Model("gpt-audio-2", 2.50, 10.0, tokens_in=1900, tokens_out=700, cached=0.1, audio_in=0.8, audio_out=0.5),
    Model(
        "gpt-6-canvas", 3.0, 24.0, day("2026-08-20"), tokens_in=800, tokens_out=3100, image_in=0.5, image_out=0.8
    ),
    Model("ft:gpt-5.4-mini:northwind::support-7", 0.50, 4.0, day("2026-04-10"), tokens_in=1100, share=0.7),
)

AUDIO_PRICE_FACTOR: Final = 8  # price of an audio token, relative to a text token
CACHED_PRICE_FACTOR: Final = 0.1

DECISION_MODELS: Final = (
    Model("gpt-6-astra-mini", 0.40, 3.20, day("2026-06-01"), tokens_in=1100, tokens_out=12, writes=0.1),
    Model("decide-1", 0.20, 1.0, day("2026-07-01"), tokens_in=800, tokens_out=6, cached=0.7, writes=0.1, share=2.0),
)
EMBEDDING_MODELS: Final = (
    Model("text-embedding-3-small", 0.02, 0.0, share=2.0),
    Model("text-embedding-3-large", 0.13, 0.0),
    Model("text-embedding-4", 0.05, 0.0, day("2026-05-20"), share=2.0),
)
MODERATION_MODELS: Final = (
    Model("omni-moderation-latest", 0.0, 0.0),
    Model("text-moderation-007", 0.0, 0.0, until=day("2026-04-01")),
)
IMAGE_MODELS: Final = (Model("gpt-image-1", 0.0, 0.0), Model("gpt-image-2", 0.0, 0.0, day("2026-04-02"), share=2.0))
SPEECH_MODELS: Final = (Model("gpt-5-mini-tts", 0.0, 0.0, share=2.0), Model("tts-1-hd", 0.0, 0.0))
TRANSCRIPTION_MODELS: Final = (Model("gpt-5-transcribe", 0.0, 0.0, share=2.0), Model("whisper-1", 0.0, 0.0))
SEARCH_MODELS: Final = (Model("gpt-6-astra", 0.0, 0.0, day("2026-06-01"), share=2.0), Model("gpt-5.1", 0.0, 0.0))

MODELS: Final = {
    "completions": COMPLETION_MODELS,
    "decisions": DECISION_MODELS,
    "embeddings": EMBEDDING_MODELS,
    "moderations": MODERATION_MODELS,
    "images": IMAGE_MODELS,
    "audio_speeches": SPEECH_MODELS,
    "audio_transcriptions": TRANSCRIPTION_MODELS,
    "web_search_calls": SEARCH_MODELS,
}

CHOICES: Final[dict[str, tuple[tuple[str | None, float], ...]]] = {
    "batch": (("false", 8.0), ("true", 1.2)),
    "service_tier": (("default", 8.0), ("flex", 1.2), ("priority", 0.8), (None, 0.15)),
    "api_source": (("unlabeled", 8.0), ("agents_api", 1.5)),
    "size": (("1024x1024", 4.0), ("1536x1024", 2.0), ("1024x1536", 1.0), (None, 0.3)),
    "source": (("image.generation", 4.0), ("image.edit", 2.0), ("image.variation", 0.5)),
    "context_level": (("medium", 4.0), ("low", 2.0), ("high", 1.0)),
}
"""The values of the other dimensions, with their weights in the random choice."""
