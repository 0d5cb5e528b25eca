"""Names and prices the line items of each model, in all the ways in which line items are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Final

from usage_viewer.demo.world.catalog import AUDIO_PRICE_FACTOR, LINE_ITEMS_SINCE, Model
from usage_viewer.demo.world.planted_facts import PRICE_CHANGES, price_factor

AMOUNT_PLACES: Final = 12
"""Decimal places of amounts: they are whole numbers in 10^-12 of the currency."""
STORAGE_LINE: Final = "Vector storage"

SERVICES: Final = (
    "completions",
    "decisions",
    "embeddings",
    "moderations",
    "images",
    "audio_speeches",
    "audio_transcriptions",
    "code_interpreter_sessions",
    "file_search_calls",
    "web_search_calls",
)
"""The datasets whose rows are billed; stored levels are billed by the hour, by `STORAGE_LINE`."""

_INPUT: Final = ("input_text_tokens", "input_audio_tokens", "input_image_tokens")
_CACHED: Final = ("input_cached_text_tokens", "input_cached_audio_tokens", "input_cached_image_tokens")
_WRITES: Final = ("input_cache_write_30m_tokens", "input_cache_write_12h_tokens")
_OUTPUT: Final = ("output_text_tokens", "output_audio_tokens", "output_image_tokens")

COUNTED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "input": _INPUT,
        "text_input": _INPUT[:1],
        "audio_input": _INPUT[1:2],
        "image_input": _INPUT[2:],
        "input_without_audio": (_INPUT[0], _INPUT[2]),
        "all_audio_input": (_INPUT[1], _CACHED[1]),
        "cached_input": _CACHED,
        "cached_text_input": _CACHED[:1],
        "cached_audio_input": _CACHED[1:2],
        "cached_image_input": _CACHED[2:],
        "cached_input_without_audio": (_CACHED[0], _CACHED[2]),
        "cache_writes": _WRITES,
        "cache_writes_30m": _WRITES[:1],
        "cache_writes_12h": _WRITES[1:],
        "output": _OUTPUT,
        "text_output": _OUTPUT[:1],
        "audio_output": _OUTPUT[1:2],
        "image_output": _OUTPUT[2:],
        "output_without_audio": (_OUTPUT[0], _OUTPUT[2]),
        "input_and_output": (*_INPUT, *_CACHED, *_WRITES, *_OUTPUT),
        "all_input": ("input_tokens",),
        "images": ("images",),
        "characters": ("characters",),
        "seconds": ("seconds",),
        "calls": ("num_requests",),
        "sessions": ("num_sessions",),
    }
)
"""The leaf metrics that each kind of tokens, or of anything else that is billed, adds up."""


@dataclass(frozen=True, slots=True)
class UsageClass:
    """What the price of a model's tokens depends on, besides their kind."""

    batch: bool = False
    tier: str | None = None
    long_context: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """A line item and its price for one token, image or second, in 10^-`AMOUNT_PLACES` of the currency.

    `kind` is a key of `COUNTED`. `per_unit` is how many of them are one unit of the quantity.
    """

    line_item: str
    kind: str
    price: int
    unit: str | None = "tokens"
    per_unit: int = 1


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of tokens in a line item: {} stands for the model. `factor` is of its input or output price."""

    kind: str
    text: str
    factor: Fraction = Fraction(1)
    of_output: bool = False


_CACHE: Final = Fraction(1, 10)  # price of a token that is read from the cache, relative to other input
_WRITE: Final = Fraction(5, 4)
_HALF: Final = Fraction(1, 2)

_PLAIN: Final = (
    _Kind("input", "{}, input"),
    _Kind("cached_input", "{}, cached input", _CACHE),
    _Kind("cache_writes", "{}, cache writes", _WRITE),
    _Kind("output", "{}, output", of_output=True),
)
_UNDERSCORED: Final = (
    _Kind("input", "{}, input_tokens"),
    _Kind("cached_input", "{}, cached_input_tokens", _CACHE),
    _Kind("cache_writes", "{}, cache_write_tokens", _WRITE),
    _Kind("output", "{}, output_tokens", of_output=True),
)
_SPLIT_WRITES: Final = (
    *(kind for kind in _PLAIN if kind.kind != "cache_writes"),
    _Kind("cache_writes_30m", "{}, cache writes", _WRITE),
    _Kind("cache_writes_12h", "{}, cache writes - 12hr", _WRITE),
)
_AUDIO_BESIDE: Final = (
    _Kind("input_without_audio", "{}, input"),
    _Kind("cached_input_without_audio", "{}, cached input", _CACHE),
    _Kind("output_without_audio", "{}, output", of_output=True),
    _Kind("all_audio_input", "{}, audio input", Fraction(AUDIO_PRICE_FACTOR)),
    _Kind("audio_output", "{}, audio output", Fraction(AUDIO_PRICE_FACTOR), of_output=True),
)
_TOGETHER: Final = (_Kind("input_and_output", "{}"),)


def _by_modality(other: str, factor: Fraction) -> tuple[_Kind, ...]:
    """Return the kinds of a model that bills text and another modality apart, at a multiple of the text's price."""
    return tuple(
        _Kind(f"{prefix}{modality}_{part}", f"{{}} {modality}, {text}", price * of_text, part == "output")
        for prefix, part, text, price in (
            ("", "input", "input", Fraction(1)),
            ("cached_", "input", "cached input", _CACHE),
            ("", "output", "output", Fraction(1)),
        )
        for modality, of_text in (("text", Fraction(1)), (other, factor))
    )


@dataclass(frozen=True, slots=True)
class _Billing:
    """How a model is billed: its name in line items, their kinds, and the tiers with line items of their own."""

    name: str
    kinds: tuple[_Kind, ...] = _PLAIN
    old_kinds: tuple[_Kind, ...] = ()  # before `LINE_ITEMS_SINCE`; (): the same
    own_tiers: Mapping[str, tuple[tuple[_Kind, ...], Fraction]] = field(default_factory=dict)


_COMPLETIONS: Final[Mapping[str, _Billing]] = MappingProxyType(
    {
        "gpt-6-astra": _Billing("gpt-6-astra", _UNDERSCORED),
        "gpt-6-astra-mini": _Billing("gpt-6-astra-mini", _UNDERSCORED),
        "gpt-6-astra-nano": _Billing("gpt-6-astra-nano", _UNDERSCORED),
        "gpt-5.4-2026-03-05": _Billing("gpt-5.4", own_tiers={"priority": (_PLAIN, Fraction(2))}),
        "gpt-5.4-mini": _Billing("gpt-5.4-mini", own_tiers={"flex": (_TOGETHER, _HALF)}),
        "gpt-5.1": _Billing("gpt-5.1", _UNDERSCORED, _PLAIN),
        "gpt-5.1-codex": _Billing("gpt-5.1-codex"),
        "o5": _Billing("o5", _SPLIT_WRITES),
        "o5-mini": _Billing("o5-mini", _UNDERSCORED, _PLAIN),
        "gpt-realtime-3": _Billing("gpt-realtime-3", _AUDIO_BESIDE),
        "gpt-audio-2": _Billing("gpt-audio-2-2025-12-15", _by_modality("audio", Fraction(AUDIO_PRICE_FACTOR))),
        "gpt-6-canvas": _Billing("gpt-6-canvas-2026-08-20", _by_modality("image", Fraction(2))),
        "ft:gpt-4.1-mini-2025-04-14:northwind::triage-3": _Billing("ft-gpt-4.1-mini-2025-04-14"),
        "ft:gpt-5.4-mini:northwind::support-7": _Billing("ft-gpt-5.4-mini"),
    }
)
LONG_CONTEXT_MODELS: Final = frozenset({"gpt-5.1-codex", "gpt-5.4-2026-03-05"})
_LONG_CONTEXT_FACTOR: Final = 2

_ONE_PRICE: Final[Mapping[str, tuple[str, str, str | None, int, str]]] = MappingProxyType(
    {
        "text-embedding-3-small": ("text-embedding-3-small, input", "all_input", "tokens", 1, "0.00000002"),
        "text-embedding-3-large": ("text-embedding-3-large, input", "all_input", "tokens", 1, "0.00000013"),
        "text-embedding-4": ("text-embedding-4", "all_input", "1000_tokens", 1000, "0.00000005"),
        "omni-moderation-latest": ("omni-moderation-latest, input", "all_input", "tokens", 1, "0"),
        "gpt-image-1": ("gpt-image-1", "images", "images", 1, "0.005"),
        "gpt-image-2": ("gpt-image-2-2026-04-21", "images", "images", 1, "0.004"),
        "gpt-5-mini-tts": ("gpt-5-mini-tts", "characters", "characters", 1, "0.000012"),
        "tts-1-hd": ("tts-1-hd", "characters", "characters", 1, "0.00003"),
        "gpt-5-transcribe": ("gpt-5-transcribe", "seconds", "duration_seconds", 1, "0.00005"),
        "whisper-1": ("whisper", "seconds", "duration_seconds", 1, "0.0001"),
        "code_interpreter_sessions": ("code interpreter sessions", "sessions", "sessions", 1, "0.003"),
        "file_search_calls": ("assistants api | file search", "calls", "calls", 1, "0.0025"),
        "web_search_calls": ("web search tool calls", "calls", None, 1, "0.0025"),
    }
)
"""Line item, kind, unit, how many are one unit, and dollars for each, by model or by service without own models."""

STORAGE_PRICE: Final = 4000
"""For 10^-6 gibibyte-hours, in 10^-`AMOUNT_PLACES` of the currency: $0.004 for one gibibyte-hour."""


def price_dates() -> list[int]:
    """Return the moments at which names or prices of line items change (epoch seconds), in order."""
    changes = (since for changes in PRICE_CHANGES.values() for since, _ in changes)
    return sorted({LINE_ITEMS_SINCE, *changes})


@cache
def charges(service: str, model: Model, usage: UsageClass, moment: int) -> tuple[Charge, ...]:
    """Return the line items that bill one row of a service's usage at `moment` (epoch seconds)."""
    if service in ("completions", "decisions"):
        return _token_charges(service, model, usage, moment)
    name = model.name if model.name in _ONE_PRICE else service
    if name not in _ONE_PRICE:
        return ()
    text, kind, unit, per_unit, dollars = _ONE_PRICE[name]
    changed = price_factor(model.name, moment) if name == model.name else price_factor(text, moment)
    return (Charge(text, kind, _price_of_one(Fraction(dollars) * changed), unit, per_unit),)


def _token_charges(service: str, model: Model, usage: UsageClass, moment: int) -> tuple[Charge, ...]:
    billing = _COMPLETIONS.get(model.name, _Billing(model.name))
    if service == "decisions":
        # The line items of a model that completions use too have another name, which only their quantities explain.
        billing = _Billing(f"{model.name} decide" if model.name in _COMPLETIONS else model.name)
    kinds = billing.old_kinds if billing.old_kinds and moment < LINE_ITEMS_SINCE else billing.kinds
    factor = _HALF if usage.batch else Fraction(1)
    text = billing.name
    if usage.tier is not None and usage.tier in billing.own_tiers:
        kinds, of_tier = billing.own_tiers[usage.tier]
        factor *= of_tier
        text = f"{usage.tier} | {text}"
    elif usage.tier == "flex":
        factor = _HALF
    if usage.long_context:
        factor *= _LONG_CONTEXT_FACTOR
        kinds = tuple(replace(kind, text=f"{kind.text}, long context") for kind in kinds)
    factor *= price_factor(model.name, moment)
    return tuple(Charge(kind.text.format(text), kind.kind, _price_of_token(model, kind, factor)) for kind in kinds)


def _price_of_token(model: Model, kind: _Kind, factor: Fraction) -> int:
    dollars = Fraction(str(model.output_price if kind.of_output else model.input_price))
    return _price_of_one(dollars / 10**6 * kind.factor * factor)


def _price_of_one(dollars: Fraction) -> int:
    """Return a price as a whole number. Raises ValueError if it is not one, as amounts would not be exact."""
    price = dollars * 10**AMOUNT_PLACES
    if price.denominator != 1:
        raise ValueError(f"{dollars} is finer than 10^-{AMOUNT_PLACES}")
    return price.numerator
