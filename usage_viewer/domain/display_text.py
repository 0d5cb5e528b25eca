"""Formats text for display: escapes invisible and bidirectional characters, writes durations in words."""

import re
from datetime import UTC, datetime
from typing import Final

_PICTURES: Final = 0x2400  # first of Unicode's symbols for the control characters 0 to 31
_DELETE: Final = 0x7F
_DELETE_PICTURE: Final = "\u2421"

# Control, format (zero-width, bidirectional overrides and isolates, tags), line and paragraph separators,
# surrogates, private use and noncharacters; then letters and marks that fonts draw as nothing.
_UNSEEN: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\ue000-\uf8ff\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff"
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0"
    "]"
)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_UNITS = (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60))


def visible(text: str) -> str:
    """Escape invisible and bidirectional characters in untrusted text.

    A control character becomes its symbol (`␊` for a line break), any other one its code point (`⟨U+202E⟩`). Two
    different texts therefore look different, and a text can't change how the text next to it is displayed.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(lambda match: _escape(match[0]), text)


def visible_lines(text: str) -> str:
    """Escape like `visible`, but keep line breaks and tabs: for a text of several lines."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(lambda match: match[0] if match[0] in "\n\t" else _escape(match[0]), text)


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(_PICTURES + code)
    return _DELETE_PICTURE if code == _DELETE else f"⟨U+{code:04X}⟩"


def duration(seconds: float) -> str:
    """Return a duration in words, like "2 days", in the largest unit that fits at least twice."""
    for noun, length in _UNITS:
        if seconds >= 2 * length:
            return f"{round(seconds / length)} {noun}s"
    whole = round(seconds)
    return f"{whole} second{'' if whole == 1 else 's'}"


def day_text(moment: int) -> str:
    """Return the UTC day of `moment` (epoch seconds), like "6 Dec 2025"."""
    day = datetime.fromtimestamp(moment, UTC)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
