"""Finds out which usage each line item bills: its name proposes, its quantities confirm.

A line item whose name says nothing, or is contradicted by its quantities, is looked for by its quantities alone.
Two candidates are as good as none: a wrong guess would put costs on the wrong people.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.spend import MEASURES, LineMeaning, Match, Measure, Reason, Target
from usage_viewer.query.spend.line_item import Modality, ParsedLine, Product, TokenKind, parse_line_item

LineKey = tuple[str, str | None]
"""A line item and the unit of its quantities."""

MIN_DAYS: Final = 3
"""Days with equal quantities that tell a line item without its name."""
MIN_TOKENS: Final = 1000
"""Smaller quantities are equal by chance."""
_ROUNDING: Final = Decimal("0.001")
PLAUSIBLE: Final = Decimal("0.01")
"""Largest difference of all quantities, relative to the usage, that may be late or free usage."""

PER_UNIT: Final[Mapping[str | None, int]] = {
    None: 1,
    "tokens": 1,
    "1000_tokens": 1000,
    "duration_seconds": 1,
    "duration_minutes": 60,
    "duration_hours": 3600,
    "images": 1,
    "characters": 1,
}
"""How many tokens, seconds, … one unit of a quantity has."""


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line item with its quantities on closed days, by day number (days since the epoch, UTC)."""

    text: str
    unit: str | None
    quantities: Mapping[int, Decimal]

    @property
    def key(self) -> LineKey:
        """The line item and its unit."""
        return self.text, self.unit


@dataclass(frozen=True, slots=True)
class UsedSeries:
    """The usage of one dataset (`service`), model and service tier: each metric by day, (days,) int64."""

    service: str
    model: str | None
    tier: str | None
    metrics: Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """All usage of some days (day numbers, (days,), in order)."""

    days: NDArray[np.int64]
    series: Sequence[UsedSeries]


_TOKEN_SERVICES: Final = ("completions", "decisions", "embeddings", "moderations")
_PRODUCTS: Final[Mapping[Product, tuple[str, str]]] = {
    Product.WEB_SEARCH: ("web_search_calls", "calls"),
    Product.FILE_SEARCH: ("file_search_calls", "calls"),
    Product.CODE_INTERPRETER: ("code_interpreter_sessions", "sessions"),
}
_SERVICES_BY_UNIT: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "images": (("images", "images"),),
    "duration_seconds": (("audio_transcriptions", "seconds"),),
    "duration_minutes": (("audio_transcriptions", "seconds"),),
    "duration_hours": (("audio_transcriptions", "seconds"),),
    "characters": (("audio_speeches", "characters"),),
}
_TOKENS_OF_MODEL: Final = (("embeddings", "all_input"), ("moderations", "all_input"), ("completions", "all_input"))
_MEASURES_OF_KIND: Final[Mapping[tuple[TokenKind, Modality | None], tuple[str, ...]]] = {
    (TokenKind.INPUT, None): ("input", "input_without_audio", "text_input", "all_input"),
    (TokenKind.INPUT, Modality.TEXT): ("text_input",),
    (TokenKind.INPUT, Modality.AUDIO): ("audio_input", "all_audio_input"),
    (TokenKind.INPUT, Modality.IMAGE): ("image_input",),
    (TokenKind.CACHED_INPUT, None): ("cached_input", "cached_input_without_audio", "cached_text_input"),
    (TokenKind.CACHED_INPUT, Modality.TEXT): ("cached_text_input",),
    (TokenKind.CACHED_INPUT, Modality.AUDIO): ("cached_audio_input",),
    (TokenKind.CACHED_INPUT, Modality.IMAGE): ("cached_image_input",),
    (TokenKind.CACHE_WRITES, None): ("cache_writes",),
    (TokenKind.CACHE_WRITES_12H, None): ("cache_writes_12h",),
    (TokenKind.CACHE_WRITES_30M, None): ("cache_writes_30m",),
    (TokenKind.OUTPUT, None): ("output", "output_without_audio", "text_output"),
    (TokenKind.OUTPUT, Modality.TEXT): ("text_output",),
    (TokenKind.OUTPUT, Modality.AUDIO): ("audio_output",),
    (TokenKind.OUTPUT, Modality.IMAGE): ("image_output",),
}
_DATE: Final = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_WITHOUT_USAGE: Final = frozenset({"evals"})
"""Surfaces whose usage the API doesn't report as such."""


def recognise(
    lines: Iterable[BilledLine], usage: DailyUsage, by_hand: Mapping[LineKey, Target] | None = None
) -> dict[LineKey, LineMeaning]:
    """Return what each line item bills; `by_hand` has what a person has decided."""
    chosen = by_hand or {}
    listed = sorted({line.key: line for line in lines}.values(), key=lambda line: (line.text, line.unit or ""))
    index = _UsageIndex(usage)
    parsed = {line.key: parse_line_item(line.text) for line in listed}
    own_tiers = _own_tiers(index, parsed)
    meanings: dict[LineKey, LineMeaning] = {}
    groups: dict[tuple[Target, ...], list[BilledLine]] = defaultdict(list)
    for line in listed:
        if line.key in chosen:
            meanings[line.key] = LineMeaning(*line.key, chosen[line.key], Match.BY_HAND)
            continue
        targets = _targets(line, parsed[line.key], index, own_tiers)
        if targets:
            groups[targets].append(line)
        else:
            reason = _reason(line, parsed[line.key])
            meanings[line.key] = LineMeaning(*line.key, None, Match.NONE, reason)
    for targets, members in groups.items():
        target, match = _confirm(targets, members, index)
        for line in members:
            own = replace(target, per_unit=PER_UNIT.get(line.unit, 1))
            meanings[line.key] = LineMeaning(*line.key, own, match)
    return _found_by_quantity(listed, meanings, parsed, index)


class _UsageIndex:
    """Answers how much of a measure was used by day, and which models there are."""

    def __init__(self, usage: DailyUsage) -> None:
        self.usage = usage
        self._places = {int(day): place for place, day in enumerate(usage.days.tolist())}
        self._models: dict[str, set[str]] = defaultdict(set)
        self._series: dict[tuple[str, str | None], list[UsedSeries]] = defaultdict(list)
        self._known: dict[Target, NDArray[np.int64]] = {}
        for series in usage.series:
            self._series[series.service, series.model].append(series)
            if series.model is not None:
                self._models[series.service].add(series.model)

    def place(self, day: int) -> int | None:
        """Return the day's place in the arrays; None for a day without any usage."""
        return self._places.get(day)

    def model(self, service: str, name: str) -> str | None:
        """Return the model of a service that `name` means: the equal one, or the only one equal without a date."""
        models = self._models[service]
        if name in models:
            return name
        base = _DATE.sub("", name)
        same = [model for model in models if _DATE.sub("", model) == base]
        return same[0] if len(same) == 1 else None

    def has_service(self, service: str) -> bool:
        """Report whether there is any usage of the service."""
        return any(key[0] == service for key in self._series)

    def of(self, target: Target) -> NDArray[np.int64]:
        """Return how much a target used by day, (days,)."""
        key = replace(target, token_kind="", per_unit=1)
        if key not in self._known:
            total = np.zeros(len(self.usage.days), np.int64)
            for (service, model), parts in self._series.items():
                if service == target.service and target.model in (None, model):
                    for series in parts:
                        if _is_of_tier(series, target):
                            total += _measured(MEASURES[target.measure], series, len(total))
            self._known[key] = total
        return self._known[key]

    def candidates(self) -> list[Target]:
        """Return every target that quantities could belong to, the usual ones first."""
        found = []
        for service, model in sorted(self._series, key=str):
            tiers = sorted({series.tier for series in self._series[service, model] if series.tier is not None})
            for measure in _measures_of_service(service):
                kind = measure.replace("_", " ")
                found += [Target(service, model, kind, measure, tier) for tier in (None, *tiers)]
        return found


def _measured(measure: Measure, series: UsedSeries, size: int) -> NDArray[np.int64]:
    nothing = np.zeros(size, np.int64)
    if measure.given in series.metrics:
        return series.metrics[measure.given]
    total = nothing.copy()
    for name in measure.plus:
        total += series.metrics.get(name, nothing)
    for name in measure.minus:
        total -= series.metrics.get(name, nothing)
    return np.maximum(total, 0)


def _is_of_tier(series: UsedSeries, target: Target) -> bool:
    if target.tier is not None:
        return series.tier == target.tier
    return series.tier is None or series.tier not in target.other_tiers


def _measures_of_service(service: str) -> tuple[str, ...]:
    if service in ("completions", "decisions"):
        return tuple(dict.fromkeys(measure for measures in _MEASURES_OF_KIND.values() for measure in measures))
    if service in _TOKEN_SERVICES:
        return ("all_input",)
    own = [*_PRODUCTS.values(), *(pair for pairs in _SERVICES_BY_UNIT.values() for pair in pairs)]
    return tuple(dict.fromkeys(measure for name, measure in own if name == service))


def _own_tiers(index: _UsageIndex, parsed: Mapping[LineKey, ParsedLine]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the service tiers that have lines of their own, by service and model."""
    tiers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in parsed.values():
        if line.tier is not None and line.model is not None:
            for service in _TOKEN_SERVICES:
                model = index.model(service, line.model)
                if model is not None:
                    tiers[service, model].add(line.tier)
    return {key: tuple(sorted(names)) for key, names in tiers.items()}


def _targets(
    line: BilledLine,
    parsed: ParsedLine,
    index: _UsageIndex,
    own_tiers: Mapping[tuple[str, str], tuple[str, ...]],
) -> tuple[Target, ...]:
    """Return the targets that a line item's name allows, the most likely first."""
    if parsed.surface in _WITHOUT_USAGE:
        return ()
    if parsed.product is not None:
        service, measure = _PRODUCTS.get(parsed.product, ("", ""))
        return (Target(service, None, measure, measure),) if service and index.has_service(service) else ()
    if parsed.model is None:
        return ()
    found = []
    for service, measure in _services_and_measures(line, parsed):
        model = index.model(service, parsed.model)
        if model is not None:
            kind = _kind_text(parsed) if parsed.kind is not None else measure.replace("_", " ")
            tier = parsed.tier
            others = () if tier is not None else own_tiers.get((service, model), ())
            found.append(Target(service, model, kind, measure, tier, others))
    return tuple(found)


def _services_and_measures(line: BilledLine, parsed: ParsedLine) -> list[tuple[str, str]]:
    if parsed.kind is None:
        return list(_SERVICES_BY_UNIT.get(line.unit or "", _TOKENS_OF_MODEL))
    measures = _MEASURES_OF_KIND.get((parsed.kind, parsed.modality), ())
    found = [(service, measure) for service in ("completions", "decisions") for measure in measures]
    if parsed.kind is TokenKind.INPUT:
        found += [("embeddings", "all_input"), ("moderations", "all_input")]
    return found


def _kind_text(parsed: ParsedLine) -> str:
    kind = "" if parsed.kind is None else parsed.kind.value
    return kind if parsed.modality is None else f"{parsed.modality.value} {kind}"


def _reason(line: BilledLine, parsed: ParsedLine) -> Reason:
    if parsed.product is not None or parsed.surface in _WITHOUT_USAGE or line.unit == "gibibyte_hours":
        return Reason.NO_COUNTERPART
    return Reason.USAGE_MISSING if parsed.kind is not None else Reason.UNRECOGNISED


def _confirm(targets: Sequence[Target], lines: Sequence[BilledLine], index: _UsageIndex) -> tuple[Target, Match]:
    """Return the target whose usage is that of the lines' quantities together, and how well it fits."""
    billed = _billed(lines, index)
    matches = [_match(billed, index.of(target)) for target in targets]
    for wanted in (Match.CONFIRMED, Match.PLAUSIBLE):
        if wanted in matches:
            return targets[matches.index(wanted)], wanted
    return targets[0], matches[0]


def _billed(lines: Sequence[BilledLine], index: _UsageIndex) -> dict[int, Decimal]:
    """Return the quantities of several lines together, in single tokens, by the day's place."""
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for line in lines:
        per_unit = PER_UNIT.get(line.unit, 1)
        for day, quantity in line.quantities.items():
            place = index.place(day)
            if place is not None:
                sums[place] += quantity * per_unit
    return {place: _whole(number) for place, number in sums.items()}


def _whole(number: Decimal) -> Decimal:
    """Return the whole number that a converted quantity is meant to be: a minute has no exact decimal fraction."""
    nearest = number.to_integral_value()
    return nearest if abs(number - nearest) < _ROUNDING else number


def _match(billed: Mapping[int, Decimal], used: NDArray[np.int64]) -> Match:
    days = [(quantity, int(used[place])) for place, quantity in billed.items()]
    days = [(quantity, count) for quantity, count in days if quantity or count]
    if not any(count for _, count in days):
        return Match.NOT_CHECKABLE
    equal = [count for quantity, count in days if quantity == count]
    strong = sum(count >= MIN_TOKENS for count in equal)
    if len(equal) == len(days) or (strong >= MIN_DAYS and 2 * len(equal) > len(days)):
        return Match.CONFIRMED
    quantity, count = sum((pair[0] for pair in days), Decimal()), sum(pair[1] for pair in days)
    return Match.PLAUSIBLE if abs(quantity - count) < PLAUSIBLE * count else Match.CONTRADICTED


_OPEN: Final = (Reason.UNRECOGNISED, Reason.USAGE_MISSING)
"""The reasons that a line item which is found by its quantities no longer has."""


def _found_by_quantity(
    lines: Sequence[BilledLine],
    meanings: Mapping[LineKey, LineMeaning],
    parsed: Mapping[LineKey, ParsedLine],
    index: _UsageIndex,
) -> dict[LineKey, LineMeaning]:
    """Return the meanings, with those found by quantities alone in place of unknown and contradicted ones."""
    result = dict(meanings)
    taken = {
        index.of(meaning.target).tobytes()
        for meaning in meanings.values()
        if meaning.target is not None and meaning.match in (Match.CONFIRMED, Match.BY_HAND)
    }
    candidates: list[Target] = []
    for line in lines:
        meaning = result[line.key]
        if meaning.match is not Match.CONTRADICTED and meaning.reason not in _OPEN:
            continue
        candidates = candidates or [one for one in index.candidates() if index.of(one).tobytes() not in taken]
        target = _only_equal(line, candidates, index)
        if target is not None:
            own = replace(target, per_unit=PER_UNIT.get(line.unit, 1))
            result[line.key] = LineMeaning(*line.key, own, Match.BY_QUANTITY)
        elif meaning.target is not None and meaning.target.model != parsed[line.key].model:
            result[line.key] = LineMeaning(*line.key, None, Match.CONTRADICTED, Reason.UNRECOGNISED)
    return result


def _only_equal(line: BilledLine, candidates: Sequence[Target], index: _UsageIndex) -> Target | None:
    """Return the only target whose usage is the line's quantity on each of at least `MIN_DAYS` days, else None."""
    billed = {place: number for place, number in _billed([line], index).items() if number >= MIN_TOKENS}
    if len(billed) < MIN_DAYS or any(number != int(number) for number in billed.values()):
        return None
    places = np.array(list(billed), np.int64)
    numbers = np.array([int(number) for number in billed.values()], np.int64)
    equal = [target for target in candidates if np.array_equal(index.of(target)[places], numbers)]
    # One model may have equal counts by several measures, such as all input and text input without images.
    owners = {(target.service, target.model) for target in equal}
    return equal[0] if len(owners) == 1 else None
