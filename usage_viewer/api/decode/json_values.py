"""Parses single JSON values of a response: counts, dimension values and exact decimal numbers."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

import msgspec

from usage_viewer.domain.figures import INT64_MAX
from usage_viewer.domain.network_errors import WrongShape
from usage_viewer.domain.view_parts import Value

MAX_DECIMALS: Final = 24
MAX_WHOLE_DIGITS: Final = 14
_MAX_TEXT: Final = 200  # characters
_MAX_EXACT_FLOAT: Final = 2**53
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,6})?", re.ASCII)
_SMALLEST: Final = Decimal(1).scaleb(-MAX_DECIMALS)
_ROUNDING: Final = Context(prec=MAX_WHOLE_DIGITS + MAX_DECIMALS + 1, Emin=-(10**9), Emax=10**9)
_EXCERPT_LENGTH = 40


def excerpt(raw: bytes) -> str:
    """Return the first 40 characters of a value's JSON text, for the detail of an error."""
    text = raw.decode("utf-8", "replace")
    return text if len(text) <= _EXCERPT_LENGTH else text[:_EXCERPT_LENGTH] + "…"


def is_null(raw: bytes) -> bool:
    """Return whether the JSON text is `null`."""
    return raw == b"null"


def parse_count(raw: bytes, path: str) -> int:
    """Parse a whole number from 0 to 2^63 - 1.

    A whole number written as a float, such as `12.0`, is accepted up to 2^53. Raises WrongShape with `path` for
    anything else.
    """
    text = raw.decode("ascii", "replace")
    if len(text) > _MAX_TEXT or not _NUMBER.fullmatch(text):
        raise WrongShape(f"a whole number was expected, not {excerpt(raw)}", path=path)
    if text.lstrip("-").isdigit():
        value, maximum = int(text), INT64_MAX
    else:
        exact = Decimal(text)
        if exact.adjusted() > 20 or exact != exact.to_integral_value():
            raise WrongShape(f"a whole number was expected, not {excerpt(raw)}", path=path)
        value, maximum = int(exact), _MAX_EXACT_FLOAT
    if value < 0:
        raise WrongShape(f"a count can't be negative: {excerpt(raw)}", path=path)
    if value > maximum:
        raise WrongShape(f"too large for a count: {excerpt(raw)}", path=path)
    return value


def parse_dimension(raw: bytes) -> Value:
    """Parse a dimension value: a string stays as it is, null is None, another value becomes its JSON text."""
    if is_null(raw):
        return None
    if raw[:1] == b'"':
        return msgspec.json.decode(raw, type=str)
    return raw.decode()


def normalize_boolean(value: bool | str | None) -> Value:
    """Convert a boolean dimension to "true" or "false"; other strings and None stay unchanged.

    The API documents `batch` as a boolean, but has also sent it as a string.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.lower() if value is not None and value.lower() in ("true", "false") else value


def parse_decimal(raw: bytes, path: str) -> Decimal | None:
    """Parse a JSON number, or a string that contains a number; null is None.

    The API documents amounts of costs as numbers, but has sent them as strings since May 2026: decimal128 written
    out, with up to 35 decimals. Any number of decimals is accepted; what lies below 10^-24 is rounded half to even.
    Raises WrongShape with `path` for a number of 10^14 or more and for anything else, including NaN and infinities.
    """
    if is_null(raw):
        return None
    text = msgspec.json.decode(raw, type=str).strip() if raw[:1] == b'"' else raw.decode("ascii", "replace")
    if not _NUMBER.fullmatch(text):
        raise WrongShape(f"a decimal number was expected, not {excerpt(raw)}", path=path)
    value = Decimal(text)
    if not value:
        return Decimal(0)
    if value.adjusted() >= MAX_WHOLE_DIGITS:
        raise WrongShape(f"the number is too large: {excerpt(raw)}", path=path)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # the pattern excludes NaN and infinities
    if exponent >= -MAX_DECIMALS:
        return value
    rounded = value.quantize(_SMALLEST, rounding=ROUND_HALF_EVEN, context=_ROUNDING)
    if rounded.adjusted() >= MAX_WHOLE_DIGITS:
        raise WrongShape(f"the number is too large: {excerpt(raw)}", path=path)
    return rounded if rounded else Decimal(0)
