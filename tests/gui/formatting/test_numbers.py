"""Tests the texts of figures of any size in several locales."""

import math
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QLocale

from usage_viewer.domain.catalog import Kind
from usage_viewer.gui.formatting.numbers import MINUS, MISSING, NumberFormat, copied

ENGLISH = NumberFormat(QLocale("en_US"))
SHORT = NumberFormat(QLocale("en_US"), abbreviated=True)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("C", "−1,234,567"),
        ("en_US", "−1,234,567"),
        ("de_DE", "−1.234.567"),
        ("fr_FR", "−1\u202f234\u202f567"),
        ("sv_SE", "−1\u00a0234\u00a0567"),
        ("en_IN", "−12,34,567"),
        ("ar_EG", "\u061c−١٬٢٣٤٬٥٦٧"),
    ],
)
def test_integer_has_separators_sign_and_digits_of_locale(locale: str, text: str) -> None:
    assert NumberFormat(QLocale(locale)).text(-1234567, Kind.COUNT) == text


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "en_IN", "sv_SE"])
@given(value=st.integers(-(10**40), 10**40))
def test_integer_keeps_all_digits(locale: str, value: int) -> None:
    text = NumberFormat(QLocale(locale)).text(value, Kind.COUNT)
    sign = "-" if text[0] in "-−" else ""
    assert int(sign + "".join(character for character in text if character.isdigit())) == value


def test_64_bit_integer_equals_text_of_qt() -> None:
    for name in ("en_US", "de_DE", "en_IN", "fr_FR", "sv_SE", "ar_EG", "de_CH"):
        locale = QLocale(name)
        assert NumberFormat(locale).text(2**62, Kind.COUNT) == locale.toString(2**62)


def test_missing_figure_differs_from_zero() -> None:
    for kind in Kind:
        assert ENGLISH.text(None, kind) == MISSING
        assert ENGLISH.text(0, kind)[0] == "0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0.00"),
        ("-0.00", "0.00"),
        ("12.5", "12.50"),
        ("1234567.1", "1,234,567.10"),
        ("0.000000123456789", "0.000000123456789"),
        ("1E+3", "1,000.00"),
        ("-0.010", "−0.01"),
        ("0.1230000", "0.123"),
    ],
)
def test_money_has_at_least_two_decimals_and_all_significant_ones(value: str, text: str) -> None:
    assert ENGLISH.text(Decimal(value), Kind.DECIMAL, "money") == text


def test_copied_number_has_the_minus_that_spreadsheets_read() -> None:
    shown = NumberFormat(QLocale("de_DE")).text(Decimal("-1234.5"), Kind.DECIMAL, "money")
    assert (shown, copied(shown)) == ("−1.234,50", "-1.234,50")


@pytest.mark.parametrize(
    ("value", "units", "text"),
    [
        ("1234.5649", 123456, "1,234.56"),
        ("-75", -7500, "−75.00"),
        ("0", 0, "0.00"),
        ("0.0087", 1, "0.01"),
        ("0.00468", 0, "0.0046"),
        ("-0.0042", 0, "−0.0042"),
        ("0.00000199", 0, "0.000001"),
        ("0.0000001", 0, "<0.000001"),
        ("-0.0000001", 0, ">−0.000001"),
    ],
)
def test_amount_has_cents_and_more_digits_only_below_a_cent(value: str, units: int, text: str) -> None:
    assert ENGLISH.amount(Decimal(value), units, 2) == text


@pytest.mark.parametrize(
    ("value", "kind", "unit", "decimals", "text"),
    [
        (Decimal(100) / 3, Kind.DECIMAL, "money", 2, "33.33"),
        (Decimal("0.00123"), Kind.DECIMAL, "money", 2, "0.0012"),
        (Decimal(1000) / 3, Kind.DECIMAL, "units", 1, "333.3"),
        (Decimal("411.9"), Kind.COUNT, "tokens", 0, "412"),
        (411, Kind.COUNT, "tokens", 0, "411"),
        (0.4941, Kind.SHARE, "%", 0, "49.4 %"),
    ],
)
def test_average_has_the_decimals_of_its_column(
    value: Decimal | int | float, kind: Kind, unit: str, decimals: int, text: str
) -> None:
    assert ENGLISH.rounded(value, kind, unit, decimals) == text


def test_quantity_has_no_trailing_zeros() -> None:
    assert ENGLISH.text(Decimal("12.50"), Kind.DECIMAL, "units") == "12.5"
    assert ENGLISH.text(Decimal("12"), Kind.DECIMAL, "units") == "12"


@pytest.mark.parametrize(
    ("locale", "share", "ratio"),
    [("en_US", "49.4 %", "1,234.5"), ("de_DE", "49,4 %", "1.234,5")],
)
def test_quotient_has_one_decimal_in_format_of_locale(locale: str, share: str, ratio: str) -> None:
    numbers = NumberFormat(QLocale(locale))
    assert numbers.text(0.4941, Kind.SHARE) == share
    assert numbers.text(1234.5, Kind.RATIO) == ratio


QUOTIENTS = st.floats(-10, 2e9) | st.integers(0, 10**7).map(lambda number: number / 2000)
"""Any numbers, and halves of tenths; the test moves them by the smallest step of a float."""


@given(QUOTIENTS, st.sampled_from((-9e99, 9e99, 0.0)))
def test_quotients_are_rounded_by_their_printed_digits(near: float, towards: float) -> None:
    value = math.nextafter(near, towards) if towards else near
    for factor, shown in ((100, ENGLISH.share(value).removesuffix(" %")), (1, ENGLISH.ratio(value))):
        exact = (Decimal(repr(value)) * factor).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
        assert Decimal(shown.replace(",", "").replace(MINUS, "-")) == exact


def test_decimal_average_is_shown_as_ratio() -> None:
    assert ENGLISH.text(Decimal("411.25"), Kind.RATIO) == "411.2"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1234, "1.23 k"),
        (9_999, "10.0 k"),
        (99_960, "100 k"),
        (999_499, "999 k"),
        (999_500, "1.00 M"),
        (1_234_567, "1.23 M"),
        (-45_600_000, "−45.6 M"),
        (7 * 10**9, "7.00 B"),
        (2**63, "9,223,372 T"),
    ],
)
def test_abbreviated_count_has_three_digits(value: int, text: str) -> None:
    assert SHORT.text(value, Kind.COUNT) == text


def test_abbreviated_money_and_shares() -> None:
    assert SHORT.text(Decimal("12345.678"), Kind.DECIMAL, "money") == "12.3 k"
    assert SHORT.text(Decimal("12.345"), Kind.DECIMAL, "money") == "12.34"
    assert SHORT.text(Decimal("0.00012345"), Kind.DECIMAL, "money") == "0.000123"
    assert SHORT.text(0.5, Kind.SHARE) == "50.0 %"
    assert SHORT.text(1234.5, Kind.RATIO) == "1.23 k"
