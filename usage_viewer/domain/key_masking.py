"""Masks admin keys in text, log records and output: those of this process in any spelling, others by their form."""

import base64
import html
import json
import logging
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from usage_viewer.domain.admin_key import AdminKey, keys_in_use

_PART: Final = 8  # a part of a key with this many characters counts as a leak
_SHORTEST: Final = 4  # a shorter key is no secret, and masking it would make messages unreadable
_NO_WORD: Final = 16  # a key with this many characters is no word of the API
_MARK: Final = "…"
_KEY_LIKE = re.compile(
    r"(sk-(?:admin|proj|svcacct)-)[A-Za-z0-9_-]+"
    r"|(?<![A-Za-z0-9])(sk-)(?!(?:admin|proj|svcacct)-)[A-Za-z0-9_-]{8,}"
    r"|(sk-)[A-Za-z0-9]{32,}"  # also directly after a letter, as in an escaped line break: \nsk-…
)

_TOKEN = re.compile(
    r"(?:%|\\x|\\u00)([0-9a-f]{2})"  # URLs, Python and JSON
    r"|&#x0*([0-9a-f]{1,2});|&(#0*[0-9]{1,3});|&(amp|lt|gt|quot|apos);"  # HTML
    r"|\\([^a-z0-9\s])"  # JSON and Python; letters stand for white space
    r"|=?\r?\n|\\[a-z]|(.)",  # a line break (with = in mail)
    re.IGNORECASE | re.DOTALL,
)
"""A character, or an escape of one."""
_BREAK = re.compile(r"=\r?\n|\s")

_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
"""Lower case of ASCII only: the length of a text stays the same."""


def mask_keys(text: str) -> str:
    """Return `text` without the keys of this process, and with everything that looks like an OpenAI key masked.

    A key is found in upper and lower case, escaped up to twice for URLs, HTML and JSON, in hexadecimal and Base64,
    broken over lines, and in parts of 8 characters or more.
    """
    text = _KEY_LIKE.sub(lambda match: f"{match[1] or match[2] or match[3]}{_MARK}", text)
    keys = [key for key in keys_in_use() if len(key.reveal()) >= _SHORTEST and len(text) >= _part_length(key)]
    # The whole keys first, the longest before those that it contains; then the parts of all: keys may overlap.
    for key in sorted(keys, key=lambda key: len(key.reveal()), reverse=True):
        text = text.replace(key.reveal(), key.masked)
    for length in {_part_length(key) for key in keys}:
        text = _without_parts(text, {part for key in keys for part in _parts(key, length)}, length)
    return text


def redact(text: str, key: AdminKey) -> str:
    """Return `text` without `key`, without parts of it (8 characters or more), and without other keys."""
    secret = key.reveal()
    return mask_keys(text.replace(secret, key.masked) if len(secret) >= _SHORTEST else text)


def without_key(body: bytes, key: AdminKey) -> bytes:
    """Return a server's answer (UTF-8) with a mark in place of each `key`, so that no row and no file contains it.

    A key of fewer than 16 characters stays: it may be a word of the answer itself.
    """
    secret = key.reveal()
    if len(secret) < _NO_WORD:
        return body
    escaped = json.dumps(secret)[1:-1]
    for spelling in (secret, escaped, escaped.replace("/", "\\/")):
        if spelling.encode() in body:
            body = body.replace(spelling.encode(), f"{key.kind.value}{_MARK}".encode())
    return body


def _part_length(key: AdminKey) -> int:
    return min(len(key.reveal()), _PART)


def _parts(key: AdminKey, length: int) -> set[str]:
    """Return the parts of each spelling in lower case; none if those of this key have another length."""
    if _part_length(key) != length:
        return set()
    lower = [spelling.translate(_LOWER) for spelling in _spellings(key.reveal())]
    parts = {spelling[at : at + length] for spelling in lower for at in range(len(spelling) - length + 1)}
    return {part for part in parts if part not in key.kind.value}


class _Characters(NamedTuple):
    """Holds characters, and where each one begins and ends in the text that they were decoded from."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def join_lines(self) -> "_Characters":
        """Return the characters without white space, and without the = that ends a broken line in mail."""
        gone = {at for found in _BREAK.finditer(self.text) for at in range(*found.span())}
        kept = [at for at in range(len(self.text)) if at not in gone]
        return _Characters(
            "".join(self.text[at] for at in kept), [self.starts[at] for at in kept], [self.ends[at] for at in kept]
        )

    def decode(self) -> "_Characters":
        """Return the characters with escapes decoded once, without white space and other breaks of a line."""
        characters: list[tuple[str, int, int]] = []
        for token in _TOKEN.finditer(self.text):
            code, entity, escaped, other = token[1] or token[2], token[3] or token[4], token[5], token[6]
            if code:
                character = chr(int(code, 16))
            elif entity:
                character = html.unescape(f"&{entity};")
            else:
                character = escaped or other or ""
            if len(character) == 1 and not character.isspace():
                characters.append((character, self.starts[token.start()], self.ends[token.end() - 1]))
        texts, starts, ends = zip(*characters, strict=True) if characters else ((), (), ())
        return _Characters("".join(texts), starts, ends)


def _without_parts(text: str, parts: set[str], length: int) -> str:
    """Return `text` with a mark in place of each run of characters that `parts` (of this length) cover.

    A server may escape a key twice, as in JSON within JSON, and break it over lines.
    """
    as_is = _Characters(text, range(len(text)), range(1, len(text) + 1))
    views = [as_is]
    if len(text.split()) > 1:
        views.append(as_is.join_lines())
    if any(sign in text for sign in "%&\\"):
        once = as_is.decode()
        views += (once, once.decode())
    hidden: list[tuple[int, int]] = []
    for view in views:
        lower = view.text.translate(_LOWER)
        hidden += (
            (view.starts[at], view.ends[at + length - 1])
            for at in range(len(lower) - length + 1)
            if lower[at : at + length] in parts
        )
    pieces: list[str] = []
    shown_to = 0
    for start, end in sorted(hidden):
        if start > shown_to or not pieces:  # overlapping parts get a single mark
            pieces += (text[shown_to:start], _MARK)
        shown_to = max(shown_to, end)
    return "".join((*pieces, text[shown_to:]))


def _spellings(secret: str) -> Iterator[str]:
    """Yield the key as it is, in hexadecimal, and within a text in Base64."""
    data = secret.encode("ascii")
    yield secret
    yield data.hex()
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
