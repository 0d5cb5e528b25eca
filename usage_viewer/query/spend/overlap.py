"""Tells whether two targets share usage: no token is billed by two line items, except together."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from usage_viewer.domain.spend import Target

_INPUT: Final = frozenset({"text", "audio", "image"})
_CACHED: Final = frozenset({"cached text", "cached audio", "cached image"})
_WRITES: Final = frozenset({"writes 30m", "writes 12h"})
_OUTPUT: Final = frozenset({"text output", "audio output", "image output"})

_PARTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "input": _INPUT,
        "input_without_audio": frozenset({"text", "image"}),
        "all_input": _INPUT | _CACHED | _WRITES,
        "text_input": frozenset({"text"}),
        "all_text_input": frozenset({"text", "cached text"}),
        "audio_input": frozenset({"audio"}),
        "all_audio_input": frozenset({"audio", "cached audio"}),
        "image_input": frozenset({"image"}),
        "all_image_input": frozenset({"image", "cached image"}),
        "cached_input": _CACHED,
        "cached_input_without_audio": frozenset({"cached text", "cached image"}),
        "cached_text_input": frozenset({"cached text"}),
        "cached_audio_input": frozenset({"cached audio"}),
        "cached_image_input": frozenset({"cached image"}),
        "cache_writes": _WRITES,
        "cache_writes_30m": frozenset({"writes 30m"}),
        "cache_writes_12h": frozenset({"writes 12h"}),
        "output": _OUTPUT,
        "output_without_audio": frozenset({"text output", "image output"}),
        "text_output": frozenset({"text output"}),
        "audio_output": frozenset({"audio output"}),
        "image_output": frozenset({"image output"}),
        "input_and_output": _INPUT | _CACHED | _WRITES | _OUTPUT,
    }
)
"""What each measure counts of a model's usage; a measure that is missing counts something of its own."""


def overlaps(one: Target, other: Target) -> bool:
    """Report whether some usage can belong to both targets."""
    if one.service != other.service or (one.model != other.model and None not in (one.model, other.model)):
        return False
    parts = [_PARTS.get(target.measure, frozenset({target.measure})) for target in (one, other)]
    return bool(parts[0] & parts[1]) and _share_tiers(one, other)


def _share_tiers(one: Target, other: Target) -> bool:
    if one.tier is not None and other.tier is not None:
        return one.tier == other.tier
    if one.tier is None and other.tier is None:
        return True  # ordinary usage belongs to both
    return one.tier not in other.other_tiers and other.tier not in one.other_tiers
