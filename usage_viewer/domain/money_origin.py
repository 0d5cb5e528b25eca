"""Defines `MoneyOrigin`, which tells of each amount of money how it was found."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, localcontext
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import COSTS, MONEY, SPEND, Dataset, Figure
from usage_viewer.domain.column import FieldWriter
from usage_viewer.domain.cost_figures import COST, COST_ASSUMED, COST_BY_TOKENS, has_costs
from usage_viewer.domain.figures import EXACT, Number, NumberColumn
from usage_viewer.domain.spend import Attribution

T = TypeVar("T")

Codes = NDArray[np.int8]
Rows = NDArray[np.int64]
_STEP = 1 << 12
"""Rows whose codes are computed at a time: some milliseconds."""

BILLED, BY_TOKENS, ASSUMED = 1, 2, 4
_BITS: Mapping[int, Attribution] = MappingProxyType(
    {BILLED: Attribution.BILLED, BY_TOKENS: Attribution.BY_TOKENS, ASSUMED: Attribution.ASSUMED_FACTOR}
)
_LABELS = dict(SPEND.dimension("attribution").labels)
_ONLY: Mapping[str, int] = MappingProxyType(
    {
        "amount_by_tokens": BY_TOKENS,
        COST_BY_TOKENS: BY_TOKENS,
        "amount_assumed": ASSUMED,
        COST_ASSUMED: ASSUMED,
    }
)
"""Metrics that are one part of an amount."""


class MoneyOrigin:
    """Tells how the amount of each row was found, by codes: sums of BILLED, BY_TOKENS and ASSUMED; 0 for none.

    Codes are computed on access: a screenful of a million rows costs a screenful.
    """

    def __init__(self, codes_at: Callable[[Rows], Codes], total: Callable[[], int]) -> None:
        """`codes_at` returns the codes of some rows, `total` that of all rows together."""
        self.codes_at, self._total = codes_at, total

    @cached_property
    def total(self) -> int:
        """The code of all rows together."""
        return self._total()

    def codes(self, count: int) -> NDArray[np.int32]:
        """Return the codes of the first `count` rows, in steps between which other threads run."""
        steps = [np.arange(start, min(start + _STEP, count)) for start in range(0, count, _STEP)]
        return np.concatenate([np.empty(0, np.int32), *(self.codes_at(rows).astype(np.int32) for rows in steps)])

    def text(self, row: int) -> str:
        """Return the words for a row, such as "billed · attributed by tokens"; "" where there is no amount."""
        return origin_text(int(self.codes_at(np.array([row]))[0]))

    def field(self, figure: str, count: int, writer: FieldWriter[T]) -> tuple[str, T]:
        """Return a field of `count` records: the values of the dimension `attribution` joined by "+"."""
        values = ["+".join(_words(code)) or None for code in EVERY_CODE]
        return f"{figure}_attribution", writer.values(self.codes(count), values, boolean=False)

    def at(self, source: Rows) -> "MoneyOrigin":
        """Return the origin of some rows; none where a row is -1."""

        def codes_at(rows: Rows) -> Codes:
            codes, taken = np.zeros(len(rows), np.int8), source[rows]
            codes[taken >= 0] = self.codes_at(taken[taken >= 0])
            return codes

        return MoneyOrigin(codes_at, lambda: self.total)

    def followed_by(self, count: int, more: int) -> "MoneyOrigin":
        """Return the origin of `count` rows with that of more rows, which have no amount."""
        return self.at(np.concatenate([np.arange(count), np.full(more, -1)])) if more else self

    def limited_to(self, figures: NumberColumn) -> "MoneyOrigin":
        """Return the origin without that of the rows whose figure is missing."""

        def codes_at(rows: Rows) -> Codes:
            return np.where(_is_known(figures, rows), self.codes_at(rows), np.int8(0))

        limited = MoneyOrigin(codes_at, lambda: 0)
        return MoneyOrigin(codes_at, lambda: int(np.bitwise_or.reduce(limited.codes(len(figures)), initial=0)))

    def joined(self, other: "MoneyOrigin | None") -> "MoneyOrigin":
        """Return the origin of a figure that is computed from both, row by row."""
        if other is None:
            return self
        return MoneyOrigin(
            lambda rows: self.codes_at(rows) | other.codes_at(rows), lambda: self.total | other.total
        )


def origin_text(code: int) -> str:
    """Return the words for a code: all that apply."""
    return " · ".join(_LABELS[word] for word in _words(code))


def _words(code: int) -> list[str]:
    return [word for bit, word in _BITS.items() if code & bit]


EVERY_CODE: Sequence[int] = range((BILLED | BY_TOKENS | ASSUMED) + 1)
"""All codes, in ascending order: a code is its own place."""


def is_money(dataset: Dataset, figure: Figure) -> bool:
    """Report whether a figure is an amount of money or a price."""
    measured = figure.measured
    return bool(measured) and dataset.metric(measured).unit == MONEY


def origin_metrics(dataset: Dataset) -> tuple[str, ...]:
    """Return the metrics that tell how money was found: of all of an amount, and of the parts that were split."""
    if dataset.computed:
        return ("amount", "amount_by_tokens", "amount_assumed")
    return (COST, COST_BY_TOKENS, COST_ASSUMED) if has_costs(dataset) else ()


def origin_of(
    dataset: Dataset, figure: Figure, figures: NumberColumn, sums: Mapping[str, NumberColumn]
) -> MoneyOrigin:
    """Return how the figure of each row was found, from the sums of the metrics of `origin_metrics`."""
    only = BILLED if dataset.name == COSTS.name else _ONLY.get(figure.name)
    parts = [] if only is not None else [sums[name] for name in origin_metrics(dataset)]

    def codes_at(rows: Rows) -> Codes:
        known = _is_known(figures, rows)
        codes = np.full(len(rows), only or 0, np.int8) if only is not None else _codes(parts, rows)
        return np.where(known, codes, np.int8(0))

    def total() -> int:
        if not len(figures.present()):
            return 0
        if only is not None:
            return only
        with localcontext(EXACT):
            return int(_code(*([part.total()] for part in parts))[0])

    return MoneyOrigin(codes_at, total)


def _is_known(figures: NumberColumn, rows: Rows) -> NDArray[np.bool_]:
    return np.ones(len(rows), np.bool_) if figures.missing is None else ~figures.missing[rows]


def _codes(parts: Sequence[NumberColumn], rows: Rows) -> Codes:
    return _code(*(part.take(rows).listed() for part in parts))


def _code(
    amounts: Sequence[Number | None], by_tokens: Sequence[Number | None], assumed: Sequence[Number | None]
) -> Codes:
    """Return the code of each row: billed is what the two parts leave of the amount."""
    codes = np.zeros(len(amounts), np.int8)
    for row, (amount, tokens, factor) in enumerate(zip(amounts, by_tokens, assumed, strict=True)):
        code = (BY_TOKENS if tokens is not None else 0) | (ASSUMED if factor is not None else 0)
        rest = EXACT.subtract(EXACT.subtract(Decimal(amount or 0), Decimal(tokens or 0)), Decimal(factor or 0))
        codes[row] = code | BILLED if rest or not code else code
    return codes
