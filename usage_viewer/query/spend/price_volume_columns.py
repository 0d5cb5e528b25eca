"""Adds columns that split the change of each line item's costs into volume and price."""

from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import numpy as np

from usage_viewer.domain.column_key import ChangeKind, ColumnKey
from usage_viewer.domain.figures import EXACT, Number, NumberColumn
from usage_viewer.domain.table import FigureColumn, Table
from usage_viewer.query.aggregate import normalize_decimal
from usage_viewer.query.spend.price_volume import BillDifference, PeriodBill, split_difference

AMOUNT, QUANTITY, LINE_ITEM = "amount", "quantity", "line_item"
MOST_ROWS = 50_000
"""Rows that are split: more would take longer than a second."""
TOO_MANY = "Price and volume are only shown for up to 50,000 rows."
SHOW_QUANTITY = "Show Quantity as a column to split the change into volume and price."
_FINEST = Decimal("1e-12")
"""A quotient of a volume is rounded to this part of the currency; the price has the exact rest."""

_PARTS: tuple[tuple[ChangeKind, str, str, Callable[[BillDifference], Fraction]], ...] = (
    (
        ChangeKind.VOLUME,
        "volume",
        "The change of the quantity at the price of the compared period.",
        lambda parts: parts.volume,
    ),
    (
        ChangeKind.PRICE,
        "price",
        "The change of the price at the quantity of the shown period. A larger share of batches counts as a lower "
        "price.",
        lambda parts: parts.price,
    ),
    (ChangeKind.NEW, "new", "Billed in the shown period only.", lambda parts: parts.new),
    (ChangeKind.GONE, "gone", "Billed in the compared period only.", lambda parts: parts.gone),
    (
        ChangeKind.UNSPLIT,
        "not split",
        "The change of what has no quantity, such as a credit.",
        lambda parts: parts.unsplit,
    ),
)


def with_price_and_volume(table: Table) -> tuple[Table, str]:
    """Return a compared table of costs by line item with the parts of each change, and a sentence about the totals.

    A table without line items, amounts or quantities is returned as it is; the sentence says if quantities would
    do, else it is "".
    """
    change = table.find_figure(ColumnKey(AMOUNT, change=ChangeKind.AMOUNT))
    if change is None or not any(group.name == LINE_ITEM for group in table.groups):
        return table, ""
    if table.find_figure(ColumnKey(QUANTITY)) is None:
        return table, SHOW_QUANTITY
    if table.find_figure(ColumnKey(QUANTITY, compared=True)) is None:
        return table, ""
    if table.rows > MOST_ROWS:
        return table, TOO_MANY
    differences = bill_differences(table)
    with localcontext(EXACT):
        columns = _columns(change, differences)
        place = table.columns.index(change) + 2
        sentence = _sentence(change, columns)
    return replace(table, columns=(*table.columns[:place], *columns, *table.columns[place:])), sentence


def bill_differences(table: Table) -> list[BillDifference]:
    """Return the parts of each row's change, exactly: volume, price, new, gone and what can't be split."""
    amounts, quantities = (
        [table.figure(ColumnKey(name, compared=old)).figures.listed() for old in (True, False)]
        for name in (AMOUNT, QUANTITY)
    )
    before, after = (list(map(_bill, *pair)) for pair in zip(amounts, quantities, strict=True))
    return list(map(split_difference, before, after))


def _bill(amount: Number | None, quantity: Number | None) -> PeriodBill:
    return PeriodBill(Decimal(amount or 0), None if quantity is None else Decimal(quantity))


def _columns(change: FigureColumn, differences: list[BillDifference]) -> list[FigureColumn]:
    """Return a column for each part that occurs; their sums are the changes, to the last digit."""
    changes = [Decimal(value or 0) for value in change.figures.listed()]
    rest = changes[:]
    columns = []
    for kind, word, text, part_of in _PARTS:
        parts = [part_of(item) for item in differences]
        if kind in (ChangeKind.NEW, ChangeKind.GONE, ChangeKind.UNSPLIT) and not any(parts):
            continue
        amounts = [_rounded(part) for part in parts]
        if kind is ChangeKind.PRICE:
            others = [_rounded(item.new + item.gone + item.unsplit) for item in differences]
            amounts = [left - other for left, other in zip(rest, others, strict=True)]
        rest = [left - amount for left, amount in zip(rest, amounts, strict=True)]
        columns.append(_column(change, kind, word, text, amounts))
    return columns


def _rounded(part: Fraction) -> Decimal:
    """Return a fraction as a decimal: exactly if it is one with at most 60 digits, else rounded."""
    quotient = Decimal(part.numerator) / Decimal(part.denominator)
    if Fraction(quotient) == part:
        return quotient
    return quotient.quantize(_FINEST, ROUND_HALF_EVEN)


def _column(change: FigureColumn, kind: ChangeKind, word: str, text: str, amounts: list[Decimal]) -> FigureColumn:
    values = np.empty(len(amounts), np.object_)
    values[:] = [normalize_decimal(amount) for amount in amounts]
    figures = NumberColumn(values, change.figures.missing)
    return replace(
        change,
        key=ColumnKey(change.name, change=kind),
        label=f"{change.label}: {word}",
        help=text,
        figures=figures,
        total=None if change.total is None else normalize_decimal(sum(amounts, Decimal())),
    )


def _sentence(change: FigureColumn, columns: list[FigureColumn]) -> str:
    """Return the parts of the total change; "" if amounts in different currencies have no total."""
    if change.total is None:
        return ""
    words = {kind: word for kind, word, _, _ in _PARTS}
    parts = [
        f"{words[column.key.change]} {_signed(column.total)}"
        for column in columns
        if column.key.change is not None and column.total is not None
    ]
    return f"Change of {_signed(change.total)} {change.measure}: {', '.join(parts)}.".replace("  ", " ")


def _signed(amount: Number | None) -> str:
    return f"{Decimal(amount or 0):+,.2f}".replace("-", "\u2212")
