import sys
import unicodedata

import pytest

from usage_viewer.domain.display_text import duration, visible


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("gpt-6-astra", "gpt-6-astra"),
        ("<img src=x> &amp; 'quoted'", "<img src=x> &amp; 'quoted'"),
        ("Žofie – 東京 – العربية – 👍🏽", "Žofie – 東京 – العربية – 👍🏽"),
        ("a\tb\nc\x00\x7f", "a␉b␊c␀␡"),
        ("invoice\u202efdp.exe", "invoice⟨U+202E⟩fdp.exe"),
        ("pay\u200bpal", "pay⟨U+200B⟩pal"),
        ("\ufeffkey\u2066x\u2069", "⟨U+FEFF⟩key⟨U+2066⟩x⟨U+2069⟩"),
        ("one\u2028two\x85three", "one⟨U+2028⟩two⟨U+0085⟩three"),
        ("half\ud800", "half⟨U+D800⟩"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("\u3164", "⟨U+3164⟩"),
        ("", ""),
    ],
)
def test_invisible_characters_are_escaped(text: str, escaped: str) -> None:
    assert visible(text) == escaped
    assert visible(escaped) == escaped


def test_every_control_and_format_character_is_escaped() -> None:
    unseen = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if unicodedata.category(char) in unseen:
            assert visible(f"a{char}b") not in ("ab", f"a{char}b"), hex(code)


def test_visible_characters_are_unchanged() -> None:
    drawn_as_nothing = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    for code in range(0xE0000):
        char = chr(code)
        if unicodedata.category(char)[0] in "LMNPSZ" and char not in drawn_as_nothing + "\u2028\u2029":
            assert visible(char) == char, hex(code)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 seconds"),
        (1.4, "1 second"),
        (90, "90 seconds"),
        (119.6, "120 seconds"),
        (120, "2 minutes"),
        (3600, "60 minutes"),
        (7200, "2 hours"),
        (2 * 86400, "2 days"),
        (729 * 86400, "729 days"),
        (1e9, "32 years"),
    ],
)
def test_duration_uses_the_largest_unit_that_fits_twice(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected
