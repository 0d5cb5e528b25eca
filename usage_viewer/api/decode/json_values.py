"""Single values of an answer, from their JSON text: counts, dimension values and exact decimals."""

import re
from decimal import Decimal
from typing import Final

import msgspec

from usage_viewer.domain.errors import WrongShape
from usage_viewer.domain.figures import INT64_MAX
from usage_viewer.domain.view import Value

MAX_DECIMALS: Final = 24
MAX_WHOLE_DIGITS: Final = 14
_MAX_TEXT: Final = 200
_EXACT_FLOAT: Final = 2**53
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,4})?", re.ASCII)
_SHOWN = 40


def shown(raw: bytes) -> str:
    """The beginning of a value's JSON text, for an error's detail."""
    text = raw.decode("utf-8", "replace")
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def is_null(raw: bytes) -> bool:
    return raw == b"null"


def count_of(raw: bytes, path: str) -> int:
    """A whole number from 0 to 2^63 - 1; `12.0` is one too, below 2^53. Raises WrongShape."""
    text = raw.decode("ascii", "replace")
    if len(text) > _MAX_TEXT or not _NUMBER.fullmatch(text):
        raise WrongShape(f"a whole number was expected, not {shown(raw)}", path=path)
    if text.lstrip("-").isdigit():
        value, bound = int(text), INT64_MAX
    else:
        exact = Decimal(text)
        if exact.adjusted() > 20 or exact != exact.to_integral_value():
            raise WrongShape(f"a whole number was expected, not {shown(raw)}", path=path)
        value, bound = int(exact), _EXACT_FLOAT
    if value < 0:
        raise WrongShape(f"a count can't be negative: {shown(raw)}", path=path)
    if value > bound:
        raise WrongShape(f"too large for a count: {shown(raw)}", path=path)
    return value


def dimension_value(raw: bytes) -> Value:
    """A string as it is, null as None, anything else as its JSON text (`true`, `7`)."""
    if is_null(raw):
        return None
    if raw[:1] == b'"':
        return msgspec.json.decode(raw, type=str)
    return raw.decode()


def boolean_value(value: bool | str | None) -> Value:
    """`true` and `"true"` are the same."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.lower() if value is not None and value.lower() in ("true", "false") else value


def decimal_of(raw: bytes, path: str) -> Decimal | None:
    """Exactly what a number or a string says, with up to 14 digits before the point and 24 after it.

    None for null. Raises WrongShape for anything else, NaN and infinities too.
    """
    if is_null(raw):
        return None
    text = msgspec.json.decode(raw, type=str).strip() if raw[:1] == b'"' else raw.decode("ascii", "replace")
    if len(text) > _MAX_TEXT or not _NUMBER.fullmatch(text):
        raise WrongShape(f"a decimal number was expected, not {shown(raw)}", path=path)
    value = Decimal(text)
    if not value:
        return Decimal(0)
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # NaN and infinities don't pass the pattern
    if exponent < -MAX_DECIMALS:
        kept = len(digits)
        while kept > 1 and digits[kept - 1] == 0:
            kept -= 1
        exponent += len(digits) - kept
        value = Decimal((sign, digits[:kept], exponent))
    if exponent < -MAX_DECIMALS or value.adjusted() >= MAX_WHOLE_DIGITS:
        raise WrongShape(f"the number has too many digits: {shown(raw)}", path=path)
    return value
