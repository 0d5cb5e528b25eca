"""Defines what spend is made of: line items and the usage that they bill, and where each amount comes from.

Spend is computed on this computer: each row of costs is split over the usage rows that it bills, exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType


class Attribution(StrEnum):
    """How an amount of spend was found. The values are those of the dimension `attribution`."""

    BILLED = "billed"  # the row of costs as it is, or its only part
    BY_TOKENS = "by_tokens"  # split by usage, at factors that are measured or not needed
    ASSUMED_FACTOR = "assumed_factor"  # split by usage, at a factor for batch or service tier that is assumed


class Reason(StrEnum):
    """Why a row of costs has no usage. The values are those of the dimension `reason`."""

    NO_COUNTERPART = "no_counterpart"  # the API reports no usage for it (storage, evals)
    USAGE_MISSING = "usage_missing"  # its line is recognized, but that day has no such usage
    CREDIT = "credit"  # negative, without a quantity
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True)
class Measure:
    """A whole number that a usage row has: the metric `given` if it is not null, else Σ `plus` - Σ `minus`.

    A metric that is null counts as 0 in the sums, and a negative result as 0.
    """

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()
    given: str = ""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all metrics that the measure reads."""
        return (*((self.given,) if self.given else ()), *self.plus, *self.minus)


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "input": Measure(
            ("input_tokens",), ("input_cached_tokens", "input_cache_write_tokens"), given="input_uncached_tokens"
        ),
        "input_without_audio": Measure(("input_text_tokens", "input_image_tokens")),
        "all_input": Measure(("input_tokens",)),
        "text_input": Measure(("input_text_tokens",)),
        "all_text_input": Measure(("input_text_tokens", "input_cached_text_tokens")),
        "audio_input": Measure(("input_audio_tokens",)),
        "all_audio_input": Measure(("input_audio_tokens", "input_cached_audio_tokens")),
        "image_input": Measure(("input_image_tokens",)),
        "all_image_input": Measure(("input_image_tokens", "input_cached_image_tokens")),
        "cached_input": Measure(("input_cached_tokens",)),
        "cached_input_without_audio": Measure(("input_cached_text_tokens", "input_cached_image_tokens")),
        "cached_text_input": Measure(("input_cached_text_tokens",)),
        "cached_audio_input": Measure(("input_cached_audio_tokens",)),
        "cached_image_input": Measure(("input_cached_image_tokens",)),
        "cache_writes": Measure(("input_cache_write_tokens",)),
        "cache_writes_30m": Measure(("input_cache_write_30m_tokens",)),
        "cache_writes_12h": Measure(("input_cache_write_12h_tokens",)),
        "output": Measure(("output_tokens",)),
        "output_without_audio": Measure(("output_text_tokens", "output_image_tokens")),
        "text_output": Measure(("output_text_tokens",)),
        "audio_output": Measure(("output_audio_tokens",)),
        "image_output": Measure(("output_image_tokens",)),
        "input_and_output": Measure(("input_tokens", "output_tokens")),
        "images": Measure(("images",)),
        "seconds": Measure(("seconds",)),
        "characters": Measure(("characters",)),
        "calls": Measure(("num_requests",)),
        "sessions": Measure(("num_sessions",)),
    }
)
"""What line items can bill, by name; computed from the metrics of one row of usage."""


@dataclass(frozen=True, slots=True)
class Target:
    """The usage that a line item bills.

    `service` is the name of a usage dataset, `model` a value of its dimension (None: the dataset has no models, or
    the line bills all of them). `token_kind` is shown ("input", "cached input", "output", "audio input", "images",
    "calls", …), `measure` a name in MEASURES. `tier` is the only service tier that the line bills; without one it
    bills all but `other_tiers`, which have lines of their own. `per_unit` is how many of the measure are one unit
    of the line's quantity (1000 for the unit 1000_tokens, 60 for duration_minutes).
    """

    service: str
    model: str | None
    token_kind: str
    measure: str
    tier: str | None = None
    other_tiers: tuple[str, ...] = ()
    per_unit: int = 1


class Match(StrEnum):
    """How well a line item is known."""

    CONFIRMED = "confirmed"  # quantity and usage are equal on closed days
    PLAUSIBLE = "plausible"  # they differ by less than 1 %
    CONTRADICTED = "contradicted"  # the name names usage, but the quantities differ
    NOT_CHECKABLE = "not_checkable"  # by name only: no closed day with a quantity and usage
    BY_QUANTITY = "by_quantity"  # found by equal quantities alone
    BY_HAND = "by_hand"  # mapped by a person
    NONE = "none"


@dataclass(frozen=True, slots=True)
class LineMeaning:
    """What a line item (`text`, with its quantity's unit) bills. Without a target, `reason` says why."""

    text: str
    unit: str | None
    target: Target | None
    match: Match
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class UsageClass:
    """What tokens of one model may cost differently by, within one line item."""

    batch: bool
    tier: str | None


@dataclass(frozen=True, slots=True)
class Factor:
    """The price of a class of usage relative to that of ordinary usage in the same line item."""

    value: Fraction
    measured: bool


ASSUMED_FACTORS: Mapping[str, Fraction] = MappingProxyType({"batch": Fraction(1, 2), "flex": Fraction(1, 2)})
"""Relative prices that are assumed where none can be measured; of every other class: 1."""
