"""Formats figures with the locale's digits, separators and signs; counts and money are rounded only on request."""

import re
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, localcontext

from PySide6.QtCore import QLocale

from usage_viewer.domain.catalog import MONEY, Kind
from usage_viewer.domain.figures import Number
from usage_viewer.domain.shown_amounts import CENT_DECIMALS, MORE_DECIMALS

MISSING = "–"
"""Shown for a figure that the server did not report, which differs from 0."""

MINUS = "−"
"""The minus sign U+2212, as wide as a digit's plus; many locales have the hyphen of keyboards in its place."""

_STEPS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))

_PROBE = 1234567890123456
"""A number with enough digits to see how the locale groups them."""

_FAST_LIMIT, _TIE_MARGIN = 1e9, 1e-3
"""The product of a float below `_FAST_LIMIT` and a factor up to 1,000 is off by less than `_TIE_MARGIN`. If the
product is further than this margin from a half, float arithmetic rounds it correctly."""


class NumberFormat:
    """Formats figures in one locale. `abbreviated` shows three digits and a letter from a thousand on (1.23 M).

    QLocale is limited to 64 bits and rounds decimals. So Python makes the digits, and the locale only provides the
    separators, the minus sign and the shapes of the digits.
    """

    def __init__(self, locale: QLocale, *, abbreviated: bool = False) -> None:
        self.locale = locale
        self.abbreviated = abbreviated
        self._group = locale.groupSeparator()
        self.decimal_point = locale.decimalPoint()
        self._minus = locale.negativeSign().replace("-", MINUS)
        self._last_group, self._other_groups = _group_sizes(locale)
        zero = ord(locale.zeroDigit())
        self._digits = {ord("0") + digit: zero + digit for digit in range(10)} if zero != ord("0") else None

    def text(self, value: Number | None, kind: Kind, unit: str = "") -> str:
        """Return the text of one figure in a cell; `MISSING` for None."""
        return self.writer(kind, unit)(value)

    def writer(self, kind: Kind, unit: str = "") -> Callable[[Number | None], str]:
        """Return a function that does the work of `text` for many figures of one kind."""
        write = {
            Kind.COUNT: self._abbreviate if self.abbreviated else self.whole,
            Kind.DECIMAL: self._abbreviate if self.abbreviated else lambda value: self.exact(value, unit),
            Kind.SHARE: self.share,
            Kind.RATIO: self._abbreviate if self.abbreviated else self.ratio,
            Kind.PRICE: self._abbreviate if self.abbreviated else self.exact,
        }[kind]
        return lambda value: MISSING if value is None else write(value)

    def whole(self, value: Number) -> str:
        """Return all digits of an integer of any size."""
        digits = f"{int(value):,}"
        if self._last_group == self._other_groups == 3:  # Python's grouping is the locale's
            return self._localize(digits.replace(",", self._group) if self._group != "," else digits)
        return self._localize(self._grouped(digits.replace(",", "")))

    def exact(self, value: Number, unit: str = "") -> str:
        """Return all significant digits of a decimal; money has at least two decimals."""
        whole, _, decimals = format(_decimal(value), "f").partition(".")
        decimals = decimals.rstrip("0")
        if unit == MONEY:
            decimals = decimals.ljust(CENT_DECIMALS, "0")
        return self._join(whole, decimals)

    def amount(self, value: Number, units: int, decimals: int) -> str:
        """Return an amount of money as `units` of 10 to the power of -`decimals`.

        An amount that would read as zero has its first two digits, after at most `MORE_DECIMALS` further decimals.
        """
        number = _decimal(value)
        if units or not number:
            return self._fixed(Decimal(units).scaleb(-decimals))
        finest = decimals + MORE_DECIMALS
        places = max(decimals, min(1 - number.adjusted(), finest))
        with localcontext(prec=60):
            cut = number.quantize(Decimal(1).scaleb(-places), ROUND_DOWN)
        if cut:
            return self._fixed(cut)
        least = self._fixed(Decimal(1).scaleb(-finest).copy_sign(number))
        return f"<{least}" if number > 0 else f">{least}"

    def rounded(self, value: Number, kind: Kind, unit: str = "", decimals: int = 0) -> str:
        """Return a figure that is computed from several ones, with the decimals of their column."""
        if kind.is_quotient:
            return self.text(value, kind, unit)
        number = _decimal(value)
        with localcontext(prec=60):
            scaled = number.scaleb(decimals).to_integral_value(ROUND_HALF_EVEN)
        if unit == MONEY:
            return self.amount(value, int(scaled), decimals)
        return self.exact(scaled.scaleb(-decimals)) if scaled or not number else self._round(number, decimals)

    def _fixed(self, value: Decimal) -> str:
        whole, _, decimals = format(value, "f").partition(".")
        return self._join(whole, decimals)

    def share(self, value: Number) -> str:
        """Return a quotient (0.494) in per cent with one decimal (49.4 %)."""
        tenths = _round_scaled(value, 1000)
        text = self._round(_decimal(value) * 100, 1) if tenths is None else self._format_tenths(tenths)
        return f"{text} %"

    def ratio(self, value: Number) -> str:
        """Return a quotient with one decimal."""
        tenths = _round_scaled(value, 10)
        return self._round(_decimal(value), 1) if tenths is None else self._format_tenths(tenths)

    def _format_tenths(self, tenths: int) -> str:
        """Format a number that is given in tenths and is not negative."""
        whole, tenth = divmod(tenths, 10)
        return self._localize(f"{self._grouped(str(whole)) if whole > 999 else whole}{self.decimal_point}{tenth}")

    def _round(self, value: Decimal, places: int) -> str:
        """Format a decimal rounded to `places` decimals; halves go to the even digit."""
        with localcontext(prec=60):
            text = format(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN), "f")
        whole, _, decimals = text.partition(".")
        return self._join(whole, decimals)

    def _abbreviate(self, value: Number) -> str:
        """Format with three digits: 999, 1.23 k, 45.6 M. A figure that rounds up to 1,000 takes the next letter."""
        number = _decimal(value)
        for size, letter in _STEPS:
            if abs(number) >= size - size * Decimal("0.0005"):
                scaled = number / size
                places = 2 if abs(scaled) < Decimal("9.995") else 1 if abs(scaled) < Decimal("99.95") else 0
                return f"{self._round(scaled, places)} {letter}"
        if number == number.to_integral_value():
            return self.whole(int(number))
        return self._round(number, max(2, 2 - number.adjusted()))

    def _join(self, whole: str, decimals: str) -> str:
        if not decimals.strip("0") and not whole.strip("-0"):
            whole = "0"  # no minus before a zero
        grouped = self._grouped(whole)
        return self._localize(f"{grouped}{self.decimal_point}{decimals}" if decimals else grouped)

    def _grouped(self, digits: str) -> str:
        """Insert the locale's group separators into the digits of an integer."""
        minus, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
        cut = len(digits) - self._last_group
        groups = [digits[max(cut, 0) :]]
        while cut > 0:
            groups.append(digits[max(cut - self._other_groups, 0) : cut])
            cut -= self._other_groups
        return minus + self._group.join(reversed(groups))

    def _localize(self, text: str) -> str:
        """Replace the digits and the minus sign of `text` by the locale's."""
        if self._digits is not None:
            text = text.translate(self._digits)
        return self._minus + text[1:] if text[0] == "-" else text


def copied(text: str) -> str:
    """Return a number's text with the minus of keyboards, which spreadsheets read."""
    return text.replace(MINUS, "-")


def _group_sizes(locale: QLocale) -> tuple[int, int]:
    """Return the number of digits of the last group of an integer and of each other group (India: 3 and 2)."""
    grouping_locale = QLocale(locale)
    grouping_locale.setNumberOptions(QLocale.NumberOption.DefaultNumberOptions)
    groups = re.findall(r"\d+", grouping_locale.toString(_PROBE))
    return (len(groups[-1]), len(groups[-2])) if len(groups) > 1 else (3, 3)


def _round_scaled(value: Number, factor: int) -> int | None:
    """Return `value * factor` rounded to an integer, or None if float arithmetic could round wrongly.

    None is also returned for a negative value and for anything but a float: the caller then uses decimals, which
    are slower.
    """
    if not isinstance(value, float) or not 0 <= value < _FAST_LIMIT:
        return None
    scaled = value * factor
    nearest = round(scaled)
    return nearest if abs(abs(scaled - nearest) - 0.5) > _TIE_MARGIN else None


def _decimal(value: Number) -> Decimal:
    """Return the exact value as a decimal; a float is read as printed, so that 0.15 does not become 0.1499…."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
