"""Texts made safe for spreadsheets: no formulas, no control characters, quotes where a reader needs them.

The rules are those of OWASP's page on CSV injection: a text that begins with one of = + - @, a tab or a line end
(or with a full-width form of them) gets an apostrophe in front, and quotes are doubled within quotes. Numbers are
never texts here, so that a negative one stays a number.
"""

import re
import unicodedata

_FORMULA_STARTS = frozenset("=+-@")
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})  # what a spreadsheet may skip before it looks for a formula

# Tab and line ends have a meaning and stay. A picture for each of the rest; what can't be encoded is replaced.
_VISIBLE = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    """Control characters as pictures (␀), what no encoding can hold as �; tab and line ends stay."""
    if not _UNPRINTABLE.search(text):
        return text
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text.translate(_VISIBLE))


def harmless(text: str) -> str:
    """The printable text, which no spreadsheet takes for a formula."""
    text = printable(text)
    return "'" + text if _like_formula(text) else text


def _like_formula(text: str) -> bool:
    if text[:1] in {"\t", "\r", "\n"}:
        return True
    first = next((char for char in text if unicodedata.category(char) not in _UNSEEN), "")
    # Full-width and other forms (＝ ﹣ ⁺) count as the sign that they stand for.
    return unicodedata.normalize("NFKC", first)[:1] in _FORMULA_STARTS


def quoted(text: str, separator: str) -> str:
    """As RFC 4180 has it, and as spreadsheets read pasted text: in quotes where it has a meaning otherwise."""
    if separator in text or '"' in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text
