"""Makes texts safe for spreadsheets: no formulas, no control characters, quotes where a reader needs them.

Source: OWASP, CSV injection. A text that begins with = + - @, a tab or a line end (or a full-width form of these)
gets a leading apostrophe in TSV and CSV, and quotes are doubled within quotes. HTML and workbooks state that a cell
is text instead. Numbers don't pass through these functions: a negative number stays a number.
"""

import re
import unicodedata

_FORMULA_STARTS = frozenset("=+-@")
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})  # spreadsheets may skip these before a formula

# Tab and line ends have a meaning and stay. C0 controls become their pictures, C1 controls the replacement sign.
_VISIBLE = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    """Replace control characters by pictures (␀) and surrogates by �; tabs and line ends stay."""
    if not _UNPRINTABLE.search(text):
        return text
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text.translate(_VISIBLE))


def harmless(text: str) -> str:
    """Return the printable text in a form that no spreadsheet reads as a formula."""
    text = printable(text)
    return "'" + text if is_like_formula(text) else text


def is_like_formula(text: str) -> bool:
    """Report whether a spreadsheet may read the text as a formula."""
    if text[:1] in {"\t", "\r", "\n"}:
        return True
    first = next((char for char in text if unicodedata.category(char) not in _UNSEEN), "")
    # Full-width and other forms (＝ ﹣ ⁺) count as their ASCII sign.
    return unicodedata.normalize("NFKC", first)[:1] in _FORMULA_STARTS


def quoted(text: str, separator: str) -> str:
    """Quotes a text with special characters (RFC 4180); spreadsheets read pasted text the same way."""
    if separator in text or '"' in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text
