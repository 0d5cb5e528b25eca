"""Builds the table of the differences between bill and usage, and the sentences that go with it."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, localcontext

import numpy as np

from usage_viewer.app.bill.reconciliation import AGREES, NOT_PROVEN, Reconciliation
from usage_viewer.app.bill.record_table import number_column, text_column
from usage_viewer.domain.catalog import MONEY
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.extent import count
from usage_viewer.domain.figures import EXACT
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import PeriodColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.query.aggregate import normalize_decimal

LINE_JOINT = " + "
"""Between line items that bill the same usage."""
NO_LINE_ITEM = "(none)"


def plain_amount(amount: Decimal, currency: str) -> str:
    """Return an amount with all its digits and its currency."""
    with localcontext(EXACT):
        return f"{normalize_decimal(amount):f} {currency}".strip()


def difference_table(found: Reconciliation) -> Table:
    """Return a row for each difference; of an amount in several currencies, one for each of them.

    The further rows have no quantities, so that columns can be added up.
    """
    rows = [
        (one, currency, amount, place == 0)
        for one in found.differences
        for place, (currency, amount) in enumerate(one.amounts or (("", one.difference.amount),))
    ]
    start, end = (datetime.fromtimestamp(at, UTC).replace(tzinfo=None) for at in (found.span.start, found.span.end))
    days = ViewState(range=DateRange(None, start, end), per=Granularity.DAY, grouping=(), zone="UTC").periods(0)
    index = np.array([(one.start - found.span.start) // 86400 for one, *_ in rows], np.int32)
    differences = [one.difference for one, *_ in rows]
    first = [is_first for *_, is_first in rows]
    return Table(
        (
            PeriodColumn(index, days),
            text_column("line_item", "Line item", [LINE_JOINT.join(one.line_items) for one, *_ in rows]),
            text_column(
                "reason", "Reason", [one.reason for one in differences], [one.reason.words for one in differences]
            ),
            number_column("amount", "Amount", [amount for _, _, amount, _ in rows], unit=MONEY),
            text_column("currency", "Currency", [currency or None for _, currency, _, _ in rows]),
            number_column(
                "billed",
                "Billed",
                [one.billed if is_first else None for one, is_first in zip(differences, first, strict=True)],
            ),
            number_column(
                "used",
                "Used",
                [one.used if is_first else None for one, is_first in zip(differences, first, strict=True)],
            ),
            number_column(
                "difference",
                "Difference",
                [one.excess if is_first else None for one, is_first in zip(differences, first, strict=True)],
            ),
            text_column("other_model", "Other model", [one.other_model for one in differences]),
        ),
        len(rows),
    )


def empty_text(found: Reconciliation) -> str:
    """Return what stands in place of an empty list."""
    return found.problem or AGREES


def summary_lines(found: Reconciliation, amount: Callable[[Decimal, str], str] = plain_amount) -> list[str]:
    """Return what was compared, what has no usage and why, and what can't be proven.

    `amount` writes an amount and its currency.
    """
    error = [f"Not everything could be loaded: {found.error.title}."] if found.error is not None else []
    if found.problem:
        return [found.problem, *error]
    compared = f"{count(found.line_items, 'line item')} on {count(found.days, 'day')} compared with the usage"
    differences = f"{compared}: {count(len(found.differences), 'difference')}."
    lines = [f"{compared}. {AGREES}" if found.agrees else differences]
    if found.residuals:
        parts = (f"{amount(one.amount, one.currency)} ({one.reason})" for one in found.residuals)
        lines.append(f"Billed without usage: {', '.join(parts)}.")
    return [*lines, *error, NOT_PROVEN]
