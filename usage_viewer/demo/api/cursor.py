"""Creates and reads the opaque cursors of pages; a cursor is valid only with the parameters of its request."""

import base64
import binascii
import hashlib

from usage_viewer.demo.api.refusal import Refusal, bad_parameter

_PREFIX = "page_"
_SIZE = 8


def make_cursor(position: int, parameters: str) -> str:
    """Return a cursor for a position (epoch seconds); its text does not reveal the position."""
    encoded = position.to_bytes(_SIZE, "big")
    check = _digest(parameters + str(position))
    encrypted = bytes(a ^ b for a, b in zip(encoded, _digest(check.hex()), strict=True))
    return _PREFIX + base64.urlsafe_b64encode(check + encrypted).decode()


def parse_cursor(cursor: str, parameters: str) -> int:
    """Return the position of a cursor. Raises Refusal (400) if it does not belong to these parameters."""
    try:
        if not cursor.startswith(_PREFIX):
            raise _invalid()
        raw = base64.b64decode(cursor.removeprefix(_PREFIX), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _invalid() from None
    check, encrypted = raw[:_SIZE], raw[_SIZE:]
    if len(encrypted) != _SIZE:
        raise _invalid()
    position = int.from_bytes(bytes(a ^ b for a, b in zip(encrypted, _digest(check.hex()), strict=True)), "big")
    if _digest(parameters + str(position)) != check:
        raise _invalid()
    return position


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_SIZE).digest()


def _invalid() -> Refusal:
    return bad_parameter("page", "Invalid 'page': the cursor is not valid for this request.")
