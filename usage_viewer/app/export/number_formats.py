"""Tells which amounts need more than two decimals."""

from decimal import Decimal

_CENT = Decimal("0.01")


def is_below_a_cent(amount: Decimal | int) -> bool:
    """Report whether two decimals are too few to show an amount."""
    return bool(amount) and -_CENT < amount < _CENT
