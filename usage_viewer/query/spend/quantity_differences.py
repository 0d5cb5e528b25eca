"""Defines a difference between billed quantity and measured usage, and the reasons for one."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from usage_viewer.query.spend.billed_lines import LineKey


class DifferenceReason(StrEnum):
    """Lists the reasons why a billed quantity is not the measured usage of the day.

    `words` is the reason for a list, `explanation` a sentence on its cause and what to do.
    """

    LATE_DAY = "late_day"
    USAGE_NOT_FETCHED = "usage_not_fetched"
    FREE_TOKENS = "free_tokens"
    RENAMED_MODEL = "renamed_model"
    BATCH_ON_COMPLETION = "batch_on_completion"
    NO_QUANTITY = "no_quantity"
    CREDIT = "credit"
    EVALS = "evals"
    NO_COUNTERPART = "no_counterpart"
    UNRECOGNISED = "unrecognised"

    @property
    def words(self) -> str:
        """Return the reason as a short text for a list."""
        return _WORDS[self][0]

    @property
    def explanation(self) -> str:
        """Return a sentence for people on what has happened, and what to do if anything can be done."""
        return _WORDS[self][1]


_WORDS: Final = MappingProxyType(
    {
        DifferenceReason.LATE_DAY: (
            "Day not final",
            "OpenAI may still add usage and costs to this day. Refresh it in a few days.",
        ),
        DifferenceReason.USAGE_NOT_FETCHED: (
            "Usage missing",
            "More was billed than the stored usage of this day shows. Refresh the usage of this day.",
        ),
        DifferenceReason.FREE_TOKENS: (
            "Not billed",
            "More was used than billed. Free daily tokens appear in usage, but not in costs.",
        ),
        DifferenceReason.RENAMED_MODEL: (
            "Model has another name",
            "The usage that is missing here was reported under the name of another model.",
        ),
        DifferenceReason.BATCH_ON_COMPLETION: (
            "Batch billed later",
            "Usage of one day was billed on the next one. Batches are billed when they are complete.",
        ),
        DifferenceReason.NO_QUANTITY: (
            "No quantity",
            "The bill has an amount, but no quantity for this day, so it can't be compared with usage.",
        ),
        DifferenceReason.CREDIT: ("Credit", "A negative amount without a quantity. Credits have no usage."),
        DifferenceReason.EVALS: ("Evals", "OpenAI bills the usage of evals, but does not report it."),
        DifferenceReason.NO_COUNTERPART: (
            "No usage reported",
            "OpenAI reports no usage for this line item, as for storage.",
        ),
        DifferenceReason.UNRECOGNISED: (
            "Line item not recognized",
            "Neither the name nor the quantities of this line item tell which usage it bills.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class QuantityDifference:
    """Holds a difference of one day (day number since the epoch, UTC) between the bill and the usage.

    `lines` are the line items that bill the same usage, most often one. `amount` is what they billed on the day.
    `billed` and `used` are tokens, seconds, images or calls; None if unknown. `other_model` is the name under which
    the usage of a renamed model is reported.
    """

    day: int
    lines: tuple[LineKey, ...]
    reason: DifferenceReason
    amount: Decimal
    billed: int | None = None
    used: int | None = None
    other_model: str | None = None

    @property
    def excess(self) -> int | None:
        """Return the billed minus the used quantity; None if one of the two is unknown."""
        return None if self.billed is None or self.used is None else self.billed - self.used
