"""Figures as a person reads them: the locale's digits, separators and signs, never rounded unless asked for."""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from PySide6.QtCore import QLocale

from usage_viewer.domain.catalog import Kind
from usage_viewer.domain.figures import Number

MISSING = "–"
"""Shown where a figure is not given, which is not the same as 0."""

MONEY = "money"
"""The unit whose figures always show two decimals."""

_STEPS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))
_PROBE = 1234567890123456
_PLAIN, _DOUBT = 1e9, 1e-3
"""Below `_PLAIN`, a product with up to 1,000 is off by less than `_DOUBT`: further from a half is no tie."""


class NumberFormat:
    """Texts for one locale. `abbreviated` shows three digits and a letter (1.23 M) from a thousand on.

    QLocale stops at 64 bits and rounds decimals, so the digits are Python's and only their dress is the locale's.
    """

    def __init__(self, locale: QLocale, *, abbreviated: bool = False) -> None:
        self.locale = locale
        self.abbreviated = abbreviated
        self._group = locale.groupSeparator()
        self._point = locale.decimalPoint()
        self._minus = locale.negativeSign()
        self._first, self._further = _group_sizes(locale)
        zero = ord(locale.zeroDigit())
        self._digits = {ord("0") + digit: zero + digit for digit in range(10)} if zero != ord("0") else None

    def text(self, value: Number | None, kind: Kind, unit: str = "") -> str:
        """As it is shown in a cell."""
        return self.writer(kind, unit)(value)

    def writer(self, kind: Kind, unit: str = "") -> Callable[[Number | None], str]:
        """`text` for many figures of one kind."""
        write = {
            Kind.COUNT: self._short if self.abbreviated else self.whole,
            Kind.DECIMAL: self._short if self.abbreviated else lambda value: self.exact(value, unit),
            Kind.SHARE: self.share,
            Kind.RATIO: self._short if self.abbreviated else self.ratio,
        }[kind]
        return lambda value: MISSING if value is None else write(value)

    def whole(self, value: Number) -> str:
        """All digits of an integer of any size."""
        digits = f"{int(value):,}"
        if self._first == self._further == 3:
            return self._dressed(digits.replace(",", self._group) if self._group != "," else digits)
        return self._dressed(self._grouped(digits.replace(",", "")))

    def exact(self, value: Number, unit: str = "") -> str:
        """All significant digits of a decimal; money has two decimals at the least."""
        whole, _, part = format(_decimal(value), "f").partition(".")
        part = part.rstrip("0")
        if unit == MONEY:
            part = part.ljust(2, "0")
        return self._with_part(whole, part)

    def share(self, value: Number) -> str:
        """A quotient in per cent, with one decimal."""
        tenths = _tenths(value, 1000)
        text = self._rounded(_decimal(value) * 100, 1) if tenths is None else self._of_tenths(tenths)
        return f"{text} %"

    def ratio(self, value: Number) -> str:
        tenths = _tenths(value, 10)
        return self._rounded(_decimal(value), 1) if tenths is None else self._of_tenths(tenths)

    def _of_tenths(self, tenths: int) -> str:
        """Of a number that is not negative."""
        whole, part = divmod(tenths, 10)
        return self._dressed(f"{self._grouped(str(whole)) if whole > 999 else whole}{self._point}{part}")

    def _rounded(self, value: Decimal, places: int) -> str:
        with localcontext(prec=60):
            text = format(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN), "f")
        whole, _, part = text.partition(".")
        return self._with_part(whole, part)

    def _short(self, value: Number) -> str:
        """Three digits: 999, 1.23 k, 45.6 M. A figure that rounds up to a thousand takes the next letter."""
        number = _decimal(value)
        for size, letter in _STEPS:
            if abs(number) >= size - size * Decimal("0.0005"):
                scaled = number / size
                places = 2 if abs(scaled) < Decimal("9.995") else 1 if abs(scaled) < Decimal("99.95") else 0
                return f"{self._rounded(scaled, places)} {letter}"
        if number == number.to_integral_value():
            return self.whole(int(number))
        return self._rounded(number, max(2, 2 - number.adjusted()))

    def _with_part(self, whole: str, part: str) -> str:
        if not part.strip("0") and not whole.strip("-0"):
            whole = "0"  # nothing is less than nothing: no minus before a zero
        shown = self._grouped(whole)
        return self._dressed(f"{shown}{self._point}{part}" if part else shown)

    def _grouped(self, digits: str) -> str:
        minus, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
        cut = len(digits) - self._first
        parts = [digits[max(cut, 0) :]]
        while cut > 0:
            parts.append(digits[max(cut - self._further, 0) : cut])
            cut -= self._further
        return minus + self._group.join(reversed(parts))

    def _dressed(self, text: str) -> str:
        if self._digits is not None:
            text = text.translate(self._digits)
        return self._minus + text[1:] if text[0] == "-" else text


def _group_sizes(locale: QLocale) -> tuple[int, int]:
    """How many digits stand together before the point, and in each group before those (3 and 2 in India)."""
    plain = QLocale(locale)
    plain.setNumberOptions(QLocale.NumberOption.DefaultNumberOptions)
    groups = re.findall(r"\d+", plain.toString(_PROBE))
    return (len(groups[-1]), len(groups[-2])) if len(groups) > 1 else (3, 3)


def _tenths(value: Number, factor: int) -> int | None:
    """`value * factor` rounded to an integer; None where a float can't tell to which one, or it is negative."""
    if not isinstance(value, float) or not 0 <= value < _PLAIN:
        return None
    scaled = value * factor
    nearest = round(scaled)
    return nearest if abs(abs(scaled - nearest) - 0.5) > _DOUBT else None


def _decimal(value: Number) -> Decimal:
    """Exact, but for a float: that is taken as it is written, so that 0.15 is not 0.1499…"""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
