"""Proposes, from the name of a line item, which usage it may bill."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from usage_viewer.domain.spend import Reason, Target
from usage_viewer.query.spend.daily_usage import UsageIndex
from usage_viewer.query.spend.line_item import (
    SERVICE_TIERS,
    Modality,
    ParsedLine,
    Product,
    TokenKind,
)

_SECONDS: Final[Mapping[str, int]] = {"duration_seconds": 1, "duration_minutes": 60, "duration_hours": 3600}
_THOUSANDS: Final = re.compile(r"(\d{1,12})_(.+)")

_TEXT_SERVICES: Final = ("completions", "decisions")
_INPUT_SERVICES: Final = ("embeddings", "moderations")  # these report input tokens only
_PRODUCTS: Final[Mapping[Product, tuple[str, str]]] = {
    Product.WEB_SEARCH: ("web_search_calls", "calls"),
    Product.FILE_SEARCH: ("file_search_calls", "calls"),
    Product.CODE_INTERPRETER: ("code_interpreter_sessions", "sessions"),
}
_OTHERS: Final[Mapping[str, tuple[str, str]]] = {  # by what a unit counts
    "images": ("images", "images"),
    "seconds": ("audio_transcriptions", "seconds"),
    "characters": ("audio_speeches", "characters"),
}
_MEASURES_OF_KIND: Final[Mapping[tuple[TokenKind, Modality | None], tuple[str, ...]]] = {
    (TokenKind.INPUT, None): ("input", "input_without_audio", "text_input", "all_input"),
    (TokenKind.INPUT, Modality.TEXT): ("text_input", "all_text_input", "input_without_audio", "input"),
    (TokenKind.INPUT, Modality.AUDIO): ("audio_input", "all_audio_input"),
    (TokenKind.INPUT, Modality.IMAGE): ("image_input", "all_image_input"),
    (TokenKind.CACHED_INPUT, None): ("cached_input", "cached_input_without_audio", "cached_text_input"),
    (TokenKind.CACHED_INPUT, Modality.TEXT): ("cached_text_input", "cached_input_without_audio", "cached_input"),
    (TokenKind.CACHED_INPUT, Modality.AUDIO): ("cached_audio_input",),
    (TokenKind.CACHED_INPUT, Modality.IMAGE): ("cached_image_input",),
    (TokenKind.CACHE_WRITES, None): ("cache_writes", "cache_writes_30m"),
    (TokenKind.CACHE_WRITES_12H, None): ("cache_writes_12h",),
    (TokenKind.CACHE_WRITES_30M, None): ("cache_writes_30m",),
    (TokenKind.OUTPUT, None): ("output", "output_without_audio", "text_output"),
    (TokenKind.OUTPUT, Modality.TEXT): ("text_output", "output_without_audio", "output"),
    (TokenKind.OUTPUT, Modality.AUDIO): ("audio_output",),
    (TokenKind.OUTPUT, Modality.IMAGE): ("image_output", "output"),
}
TOKEN_MEASURES: Final = tuple(
    dict.fromkeys([*(one for measures in _MEASURES_OF_KIND.values() for one in measures), "input_and_output"])
)
"""Every measure in tokens, the usual ones first."""

NO_USAGE: Final = frozenset({"evals"})
"""Surfaces whose usage the API doesn't report."""
_PART_OF_THE_MODEL: Final = frozenset({None, "batch"})
"""Surfaces that leave the model's usage as it is: batches are billed in the line of their model, or beside it."""
_ANY_SERVICE: Final = ("completions", "decisions", "embeddings", "moderations")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Targets that a line item's name allows, the most likely first.

    `is_sure`: the name names them even if the quantities differ. Otherwise `reason` says why there is no usage.
    """

    targets: tuple[Target, ...] = ()
    is_sure: bool = True
    reason: Reason = Reason.UNRECOGNISED


def per_unit(unit: str | None) -> int:
    """Return how many tokens, seconds, images, … one unit of a quantity has."""
    scaled = _THOUSANDS.fullmatch(unit or "")
    return max(1, int(scaled[1])) if scaled else _SECONDS.get(unit or "", 1)


def counted(unit: str | None) -> str | None:
    """Return what a unit counts: tokens, seconds, images, characters, …; None if it is unknown."""
    if unit in _SECONDS:
        return "seconds"
    scaled = _THOUSANDS.fullmatch(unit or "")
    return scaled[2] if scaled else unit


def measures_of(service: str, unit: str | None) -> tuple[str, ...]:
    """Return the measures of a service that a quantity in `unit` may count."""
    name = counted(unit)
    if service in _ANY_SERVICE:
        is_tokens = name is None or name == "tokens" or name not in (*_OTHERS, "gibibyte_hours")
        return (TOKEN_MEASURES if service in _TEXT_SERVICES else ("all_input",)) if is_tokens else ()
    if name in (*_OTHERS, "tokens", "gibibyte_hours"):
        return tuple(measure for owner, measure in [_OTHERS.get(name, ("", ""))] if owner == service)
    return tuple(measure for owner, measure in (*_PRODUCTS.values(), *_OTHERS.values()) if owner == service)


class Proposer:
    """Proposes targets for line items, with the service tiers that have lines of their own."""

    def __init__(self, index: UsageIndex, lines: Iterable[ParsedLine]) -> None:
        self._index = index
        self._own_tiers: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._with_audio_lines: set[tuple[str | None, TokenKind | None]] = set()
        for line in lines:
            if line.modality is Modality.AUDIO:
                self._with_audio_lines.add((line.model, line.kind))
            for service in _ANY_SERVICE if line.model is not None else ():
                model = index.model(service, line.model or "")
                tier = None if model is None else self._tier(service, model, line)
                if model is not None and tier is not None:
                    self._own_tiers[service, model].add(tier)

    def propose(self, line: ParsedLine, unit: str | None) -> Proposal:
        """Return what the name of a line item allows."""
        if line.surface in NO_USAGE or counted(unit) == "gibibyte_hours":
            return Proposal(reason=Reason.NO_COUNTERPART)
        if line.product is not None:
            return self._product(line, line.product)
        if line.model is None:
            return Proposal()
        targets = list[Target]()
        is_sure = True
        for service, measure in self._measures(line, unit):
            model = self._index.model(service, line.model)
            if model is not None:
                kind = _kind_text(line) if line.kind is not None else measure.replace("_", " ")
                targets += self._of_tiers(line, service, model, kind, measure)
                is_sure = is_sure and model == line.model
        reason = Reason.USAGE_MISSING if line.kind is not None else Reason.UNRECOGNISED
        return Proposal(tuple(dict.fromkeys(targets)), is_sure and self._is_clear(line), reason)

    def _product(self, line: ParsedLine, product: Product) -> Proposal:
        service, measure = _PRODUCTS.get(product, ("", ""))
        targets = []
        if self._index.has_service(service):
            model = None if line.model is None else self._index.model(service, line.model)
            names = (None,) if line.model is None else (model,) if model is not None else ()
            targets = [Target(service, name, measure, measure) for name in names]
        return Proposal(tuple(targets), line.surface is None, Reason.NO_COUNTERPART)

    def _measures(self, line: ParsedLine, unit: str | None) -> list[tuple[str, str]]:
        name = counted(unit)
        if name is not None and name in _OTHERS:
            return [_OTHERS[name]]
        if line.kind is None:
            found = [(service, "all_input") for service in _INPUT_SERVICES]
            tokens = ("input_and_output", "all_input", "output", "input")
            found += [(service, measure) for service in _TEXT_SERVICES for measure in tokens]
            return found if name == "tokens" else [*_OTHERS.values(), *found]
        measures: Sequence[str] = _MEASURES_OF_KIND.get((line.kind, line.modality), ())
        if (line.model, line.kind) in self._with_audio_lines:
            measures = sorted(measures, key=lambda measure: not measure.endswith("_without_audio"))
        found = [(service, measure) for service in _TEXT_SERVICES for measure in measures]
        if line.kind is TokenKind.INPUT:
            found += [(service, "all_input") for service in _INPUT_SERVICES]
        return found

    def _of_tiers(self, line: ParsedLine, service: str, model: str, kind: str, measure: str) -> list[Target]:
        tier = self._tier(service, model, line)
        if tier is not None:
            return [Target(service, model, kind, measure, tier)]
        others = tuple(sorted(self._own_tiers.get((service, model), ())))
        plain = Target(service, model, kind, measure)
        # The tier's own line may be newer than the usage, or bill another kind of tokens.
        return [Target(service, model, kind, measure, None, others), plain] if others else [plain]

    def _tier(self, service: str, model: str, line: ParsedLine) -> str | None:
        """Return the tier of usage that the surface names; None if usage doesn't tell tiers apart."""
        if line.surface is None:
            return None
        used = self._index.tiers(service, model)
        same = [tier for tier in used if _tier_name(tier) == _tier_name(line.surface)]
        if line.surface in same or len(same) == 1:
            return line.surface if line.surface in same else same[0]
        return line.surface if used and line.surface in SERVICE_TIERS else None

    def _is_clear(self, line: ParsedLine) -> bool:
        return line.surface in _PART_OF_THE_MODEL or line.surface in SERVICE_TIERS


def _tier_name(text: str) -> str:
    return text.casefold().removesuffix("-tier").removesuffix(" tier").removesuffix("_tier")


def _kind_text(line: ParsedLine) -> str:
    kind = "" if line.kind is None else line.kind.value
    return kind if line.modality is None else f"{line.modality.value} {kind}"
