"""Parses the text of a line item: model, kind of tokens, modality, surface.

A line item is written `[surface | ] model [modality] , [modality] kind [, long context]`, or it is the bare name of
a product. The parts behind the model may come in another order. Source: values of `line_item` in the organization's
costs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class TokenKind(StrEnum):
    """What of a model's usage a line item counts."""

    INPUT = "input"
    CACHED_INPUT = "cached input"
    CACHE_WRITES = "cache writes"
    CACHE_WRITES_12H = "cache writes 12 h"
    CACHE_WRITES_30M = "cache writes 30 min"
    OUTPUT = "output"


class Modality(StrEnum):
    """The form of the tokens, where a line item names it."""

    TEXT = "text"
    AUDIO = "audio"
    IMAGE = "image"


class Product(StrEnum):
    """What a line item bills that is no model's tokens."""

    WEB_SEARCH = "web search"
    FILE_SEARCH = "file search"
    CODE_INTERPRETER = "code interpreter"
    STORAGE = "storage"


SERVICE_TIERS: Final = frozenset({"priority", "flex", "default", "scale"})
"""The surfaces that are values of `service_tier` in usage."""


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """Holds the parts of a line item; None where `text` doesn't have or doesn't tell them.

    `surface` is in lower case. `model` is as written; a product may have one, too. Without `kind` and `product`, a
    model's only kind of usage is meant (`whisper`), or the text is not understood: which of both, only the
    organization's usage can tell.
    """

    text: str
    surface: str | None = None
    model: str | None = None
    modality: Modality | None = None
    kind: TokenKind | None = None
    long_context: bool = False
    product: Product | None = None

    @property
    def tier(self) -> str | None:
        """The service tier that the surface names."""
        return self.surface if self.surface in SERVICE_TIERS else None

    @property
    def is_batch(self) -> bool:
        """Whether the line item bills batches only."""
        return self.surface == "batch"


_WRITES: Final = ("write", "writes")
_TWELVE_HOURS: Final = ("12h", "12hr", "12 h", "12 hr", "12 hours")
_HALF_AN_HOUR: Final = ("30m", "30min", "30 m", "30 min", "30 minutes")
_KINDS: Final[Mapping[str, TokenKind]] = MappingProxyType(
    {
        "input": TokenKind.INPUT,
        "uncached input": TokenKind.INPUT,
        "cached input": TokenKind.CACHED_INPUT,
        "input cached": TokenKind.CACHED_INPUT,
        "cache read": TokenKind.CACHED_INPUT,
        "cache reads": TokenKind.CACHED_INPUT,
        "output": TokenKind.OUTPUT,
        **{f"cache {writes}": TokenKind.CACHE_WRITES for writes in _WRITES},
        **{f"cache {writes} {time}": TokenKind.CACHE_WRITES_12H for writes in _WRITES for time in _TWELVE_HOURS},
        **{f"cache {writes} {time}": TokenKind.CACHE_WRITES_30M for writes in _WRITES for time in _HALF_AN_HOUR},
    }
)
_PRODUCTS: Final = (
    (re.compile(r"\bstorage\b"), Product.STORAGE),
    (re.compile(r"web search"), Product.WEB_SEARCH),
    (re.compile(r"file search"), Product.FILE_SEARCH),
    (re.compile(r"code interpreter"), Product.CODE_INTERPRETER),
)
_MODALITIES: Final = {item.value: item for item in Modality}
_LONG_CONTEXT: Final = "long context"


def parse_line_item(text: str) -> ParsedLine:
    """Return the parts of a line item, read from right to left. Never raises; what is not understood stays text."""
    head, separator, rest = text.partition("|")
    surface = _plain(head) or None if separator else None
    parts = [part.strip() for part in (rest if separator else text).split(",")]
    long_context, modality, kind = False, None, None
    while len(parts) > 1:
        last = _plain(parts[-1])
        if last == _LONG_CONTEXT and not long_context:
            long_context = True
        elif last in _MODALITIES and modality is None:
            modality = _MODALITIES[last]
        elif last in SERVICE_TIERS and surface is None:
            surface = last
        elif kind is None and (found := _kind(last)) is not None and (found[0] is None or modality is None):
            modality, kind = found[0] or modality, found[1]
        else:
            break
        parts.pop()
    if kind is None:
        product = _product(parts[-1])
        if product is not None:
            return ParsedLine(text, surface, ", ".join(parts[:-1]) or None, product=product)
    model = ", ".join(parts)
    if not parts[0] or (len(parts) > 1 and kind is None):
        return ParsedLine(text, surface)
    if modality is None and kind is not None:
        model, modality = _split_modality(model)
    return ParsedLine(text, surface, model, modality, kind, long_context)


def _plain(text: str) -> str:
    """Return the text in lower case, with single spaces and without the marks that only some lines have."""
    return " ".join(re.sub(r"[_\-–]+", " ", text.lower()).split())


def _kind(plain: str) -> tuple[Modality | None, TokenKind] | None:
    """Return the modality, if there is one, and the kind that a part in plain form names."""
    plain = plain.removesuffix(" tokens").removesuffix(" token")
    if plain in _KINDS:
        return None, _KINDS[plain]
    words = plain.split()
    for place, word in enumerate(words):
        if word in _MODALITIES:
            rest = " ".join(words[:place] + words[place + 1 :])
            return (_MODALITIES[word], _KINDS[rest]) if rest in _KINDS else None
    return None


def _split_modality(model: str) -> tuple[str, Modality | None]:
    """Split the modality off the end of a model's name: `gpt-image-1 image`."""
    name, space, last = model.rpartition(" ")
    found = _MODALITIES.get(last.lower()) if space else None
    return (name.strip(), found) if found is not None and name.strip() else (model, None)


def _product(part: str) -> Product | None:
    plain = _plain(part)
    return next((product for pattern, product in _PRODUCTS if pattern.search(plain)), None)
