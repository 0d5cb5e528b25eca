"""Opaque cursors: a position that only goes with the parameters it was given for."""

import base64
import binascii
import hashlib

from usage_viewer.demo.api.refusal import Refusal, bad_parameter

_PREFIX = "page_"
_SIZE = 8


def make_cursor(position: int, parameters: str) -> str:
    """A text that gives nothing away and is never a number."""
    plain = position.to_bytes(_SIZE, "big")
    check = _digest(parameters + str(position))
    veiled = bytes(a ^ b for a, b in zip(plain, _digest(check.hex()), strict=True))
    return _PREFIX + base64.urlsafe_b64encode(check + veiled).decode()


def read_cursor(cursor: str, parameters: str) -> int:
    """The position. Raises the API's 400 for a cursor that was not given for these parameters."""
    try:
        if not cursor.startswith(_PREFIX):
            raise _invalid()
        raw = base64.b64decode(cursor.removeprefix(_PREFIX), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _invalid() from None
    check, veiled = raw[:_SIZE], raw[_SIZE:]
    if len(veiled) != _SIZE:
        raise _invalid()
    position = int.from_bytes(bytes(a ^ b for a, b in zip(veiled, _digest(check.hex()), strict=True)), "big")
    if _digest(parameters + str(position)) != check:
        raise _invalid()
    return position


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_SIZE).digest()


def _invalid() -> Refusal:
    return bad_parameter("page", "Invalid 'page': the cursor is not valid for this request.")
