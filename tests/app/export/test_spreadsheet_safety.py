"""Tests texts that every spreadsheet reads as text."""

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.app.export.spreadsheet_safety import harmless, printable, quoted

SIGNS = "=+-@＝＋－＠﹢﹣﹦﹫⁺"
BLANK = st.text(" \u00a0\u2003\u3000\ufeff\u200b\u2028", max_size=3)


@given(BLANK, st.sampled_from(SIGNS), st.text(max_size=20))
def test_text_like_a_formula_gets_an_apostrophe(blank: str, sign: str, rest: str) -> None:
    assert harmless(blank + sign + rest).startswith("'")


@given(st.sampled_from("\t\r\n"), st.text(max_size=20))
def test_leading_tab_or_line_end_gets_an_apostrophe(start: str, rest: str) -> None:
    assert harmless(start + rest).startswith("'")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_other_texts_are_unchanged(text: str) -> None:
    first = next((char for char in text if unicodedata.category(char) not in {"Zs", "Zl", "Zp", "Cf"}), "")
    if unicodedata.normalize("NFKC", first)[:1] not in {"=", "+", "-", "@"}:
        assert harmless(text) == text


@given(st.text(st.characters()))
def test_printable_text_has_no_control_characters_and_can_be_encoded(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert not [char for char in shown if unicodedata.category(char) == "Cc" and char not in "\t\r\n"]
    shown.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "a␀b"),
        ("\x1b[31m", "␛[31m"),
        ("a\x7f", "a␡"),
        ("a\x85b", "a�b"),
        ("a\ud800", "a�"),
        ("a\tb", "a\tb"),
    ],
)
def test_control_characters_become_pictures(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["gpt-5", "(none)", "a=b", "#1", "", "  plain", "1-2", "−5 (a minus sign)", "日本"]
)
def test_plain_texts_are_unchanged(text: str) -> None:
    assert harmless(text) == text


@given(st.lists(st.text(), min_size=1, max_size=5), st.sampled_from("\t,"))
def test_quoted_cells_are_read_back(texts: list[str], separator: str) -> None:
    texts = [printable(text) for text in texts]
    line = separator.join(quoted(text, separator) for text in texts) or '""'
    assert list(csv.reader(io.StringIO(line, newline=""), delimiter=separator, strict=True)) == [texts]
