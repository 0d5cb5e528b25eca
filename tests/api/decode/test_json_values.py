from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.api.decode.json_values import (
    excerpt,
    normalize_boolean,
    parse_count,
    parse_decimal,
    parse_dimension,
)
from usage_viewer.domain.network_errors import WrongShape


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("-0", 0),
        ("12.0", 12),
        ("1e3", 1000),
        ("1.5e1", 15),
        ("9007199254740992.0", 2**53),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_counts(text: str, expected: int) -> None:
    assert parse_count(text.encode(), "x") == expected


@pytest.mark.parametrize(
    "text",
    [
        "-1", "-1.0", "0.5", "1e-1", "9007199254740993.0", "9223372036854775808", "1e300", "1e9999", "1e99999",
        "1" * 5000, "true", "null", '"5"', "[]", "{}", "NaN", "Infinity", '"\\u0665"', "٥",
    ],
)  # fmt: skip
def test_invalid_counts_are_rejected(text: str) -> None:
    with pytest.raises(WrongShape) as caught:
        parse_count(text.encode(), "data[0].x")
    assert caught.value.path == "data[0].x"
    assert len(caught.value.detail) < 200


@given(st.integers(0, 2**63 - 1))
def test_every_int64_is_a_count(value: int) -> None:
    assert parse_count(str(value).encode(), "x") == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null", None),
        ("0", Decimal(0)),
        ("-0.0", Decimal(0)),
        ("0e99", Decimal(0)),
        ("12.10", Decimal("12.10")),
        ('"12.10"', Decimal("12.10")),
        ('" 12.10 "', Decimal("12.10")),
        ("-3.5", Decimal("-3.5")),
        ("1e-24", Decimal("1e-24")),
        ("0.1234567890123456789012345", Decimal("0.123456789012345678901234")),  # half to even
        ("0.1234567890123456789012355", Decimal("0.123456789012345678901236")),
        ('"0.00000000000000000000000060000000000000000000000000000000000"', Decimal("1e-24")),
        ("1e-25", Decimal(0)),
        ("-1e-9999", Decimal(0)),
        ('"0E-6176"', Decimal(0)),
        ('"3.' + "1" * 5000 + '"', Decimal("3." + "1" * 24)),
        ("0.123456789012345678901234000000", Decimal("0.123456789012345678901234")),
        ("99999999999999.999999999999999999999999", Decimal("99999999999999.999999999999999999999999")),
        ("0.1", Decimal("0.1")),
    ],
)
def test_decimals_are_exact_to_24_places(text: str, expected: Decimal | None) -> None:
    assert parse_decimal(text.encode(), "x") == expected


@pytest.mark.parametrize(
    "text",
    ["100000000000000", "1e14", "1e9999", "1e99999999", '"NaN"', '"Infinity"', '"-inf"', '""',
     '"1_000"', '"1,5"', "true", "[]", "{}", '"0x10"', '"' + "9" * 300 + '"', '"٥"'],
)  # fmt: skip
def test_invalid_decimals_are_rejected(text: str) -> None:
    with pytest.raises(WrongShape) as caught:
        parse_decimal(text.encode(), "data[0].amount.value")
    assert caught.value.path == "data[0].amount.value"


@given(st.decimals(-(10**14) + 1, 10**14 - 1, allow_nan=False, places=24), st.booleans())
def test_decimals_are_exact_as_number_and_as_string(value: Decimal, as_text: bool) -> None:
    text = f"{value:f}"
    assert parse_decimal((f'"{text}"' if as_text else text).encode(), "x") == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [("null", None), ('"a\\u00e9"', "aé"), ("true", "true"), ("7", "7"), ("1.50", "1.50"), ('{"a":1}', '{"a":1}')],
)
def test_dimension_values(text: str, expected: str | None) -> None:
    assert parse_dimension(text.encode()) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, "true"), (False, "false"), ("true", "true"), ("False", "false"), (None, None), ("maybe", "maybe")],
)
def test_boolean_values(value: bool | str | None, expected: str | None) -> None:
    assert normalize_boolean(value) == expected


def test_excerpt_of_a_long_value_is_shortened() -> None:
    assert excerpt(b"1" * 41) == "1" * 40 + "…"
    assert excerpt(b"\xff") == "\ufffd"
