"""Tells which amounts need more than two decimals, and when periods start on the clocks of their zone."""

from datetime import datetime
from decimal import Decimal

from usage_viewer.domain.period import Periods

_CENT = Decimal("0.01")


def is_below_a_cent(amount: Decimal | int) -> bool:
    """Report whether two decimals are too few to show an amount."""
    return bool(amount) and -_CENT < amount < _CENT


def local_starts(periods: Periods) -> list[datetime]:
    """Return the start of each period as a naive time of the zone: spreadsheets know no zones."""
    return [
        datetime.fromtimestamp(start, periods.zone).replace(tzinfo=None) for start in periods.bounds[:-1].tolist()
    ]
