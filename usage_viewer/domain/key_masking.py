"""Masks admin keys in text, log records and output: those of this process in any spelling, others by their form."""

import base64
import html
import json
import logging
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from usage_viewer.domain.admin_key import AdminKey, keys_in_use

_PART: Final = 8  # a part of a key with this many characters counts as a leak
_SHORTEST: Final = 4  # a shorter key is no secret, and masking it would make messages unreadable
_MARK: Final = "…"
_KEY_LIKE = re.compile(
    r"(sk-(?:admin|proj|svcacct)-)[A-Za-z0-9_-]+"
    r"|(?<![A-Za-z0-9])(sk-)(?!(?:admin|proj|svcacct)-)[A-Za-z0-9_-]{8,}"
    r"|(sk-)[A-Za-z0-9]{32,}"  # also directly after a letter, as in an escaped line break: \nsk-…
)

_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
"""Lower case of ASCII only: the length of a text stays the same."""


def mask_keys(text: str) -> str:
    """Return `text` without the keys of this process, and with everything that looks like an OpenAI key masked.

    A key is found in upper and lower case, escaped for a URL, for HTML or for JSON, in Base64, and in parts of
    8 characters or more.
    """
    text = _KEY_LIKE.sub(lambda match: f"{match[1] or match[2] or match[3]}{_MARK}", text)
    for key in keys_in_use():
        text = _redact(text, key)
    return text


def redact(text: str, key: AdminKey) -> str:
    """Return `text` without `key`, without parts of it (8 characters or more), and without other keys."""
    secret = key.reveal()
    return mask_keys(text.replace(secret, key.masked) if len(secret) >= _SHORTEST else text)


def _redact(text: str, key: AdminKey) -> str:
    secret = key.reveal()
    if len(secret) < _SHORTEST:
        return text
    text = text.replace(secret, key.masked)
    public = key.kind.value
    spellings = {spelling.translate(_LOWER) for spelling in _spellings(secret)}
    if len(secret) < _PART:
        for spelling in spellings:
            text = re.sub(re.escape(spelling), _MARK, text, flags=re.IGNORECASE | re.ASCII)
        return text
    parts = {
        part
        for spelling in spellings
        for start in range(len(spelling) - _PART + 1)
        if (part := spelling[start : start + _PART]) not in public
    }
    return _without_parts(text, parts)


def _without_parts(text: str, parts: set[str]) -> str:
    """Return `text` with a mark in place of each run of characters that `parts` (of equal length) cover."""
    lower = text.translate(_LOWER)
    pieces: list[str] = []
    hidden_to = 0
    for at in range(len(text)):
        if lower[at : at + _PART] in parts:
            if at >= hidden_to:  # overlapping parts get a single mark
                pieces.append(_MARK)
            hidden_to = at + _PART
        if at >= hidden_to:
            pieces.append(text[at])
    return "".join(pieces)


def _spellings(secret: str) -> Iterator[str]:
    """Yield the ways in which a server may write a key that it received."""
    yield secret
    yield quote(secret, safe="")
    yield html.escape(secret)
    yield json.dumps(secret)[1:-1]
    yield secret.encode("ascii", "replace").hex()
    data = secret.encode("ascii", "replace")
    for shift in range(3):  # the key's place within the encoded text, modulo 3
        encoded = base64.b64encode(bytes(shift) + data).decode()
        whole = len(encoded) - 4  # the last four characters also depend on what follows
        yield encoded[4 if shift else 0 : whole]
        yield encoded[4 if shift else 0 : whole].translate({ord("+"): "-", ord("/"): "_"})


class KeyFilter(logging.Filter):
    """Masks keys in a log record's message, arguments, exception, stack and extra fields.

    Add the filter to each handler, not to a logger: a logger's filters don't see the records of its child loggers.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record in place and keep it (return True)."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, LookupError):
            # The arguments don't match the message: logging itself would print them unmasked to stderr.
            message = f"{record.msg} {record.args!r}"
        record.msg, record.args = message, None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None  # otherwise a formatter would render the exception again, unmasked
        for name, value in list(vars(record).items()):
            if isinstance(value, str):
                setattr(record, name, mask_keys(value))
        return True
