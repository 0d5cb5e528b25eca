"""Reconciles the bill of an organization of the rigs, by the truth of its line items."""

from dataclasses import replace
from decimal import Decimal

from tests.rigs.billed_organizations import FIRST_DAY, BilledOrganization
from usage_viewer.query.spend.billed_lines import LineKey
from usage_viewer.query.spend.quantity_differences import DifferenceReason, QuantityDifference
from usage_viewer.query.spend.reconcile import LATE_DAYS, BilledAmounts, FetchState, reconcile

Expected = set[tuple[int, LineKey, DifferenceReason]]
"""Differences: day, line item, reason."""


def bills(organization: BilledOrganization) -> list[BilledAmounts]:
    amounts: dict[LineKey, dict[int, Decimal]] = {}
    for row in organization.costs:
        days = amounts.setdefault(row.key, {})
        days[row.day] = days.get(row.day, Decimal()) + row.amount
    empty = {(row.key, row.day) for row in organization.costs if row.quantity is None}
    return [
        BilledAmounts(
            replace(
                line,
                quantities={day: n for day, n in line.quantities.items() if (line.key, day) not in empty},
            ),
            amounts[line.key],
        )
        for line in organization.lines()
    ]


def today(organization: BilledOrganization) -> int:
    return FIRST_DAY + organization.days + LATE_DAYS  # no day is late


def differences(organization: BilledOrganization, state: FetchState | None = None) -> list[QuantityDifference]:
    return reconcile(
        bills(organization),
        organization.meanings(),
        organization.daily_usage(),
        state or FetchState(today(organization)),
    )


def found(organization: BilledOrganization, state: FetchState | None = None) -> Expected:
    return {(one.day, key, one.reason) for one in differences(organization, state) for key in one.lines}
