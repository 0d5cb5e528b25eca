"""How a format writes a text."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.app.export.layouts import json_text, markdown_text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("gpt_6_astra", "gpt_6_astra"),
        ("_quiet_", r"\_quiet\_"),
        ("a|b", r"a\|b"),
        (r"a\|b", r"a\\\|b"),
        ("`code`", r"\`code\`"),
        ("**bold** ~~gone~~", r"\*\*bold\*\* \~\~gone\~\~"),
        ("[link](x)", r"\[link\](x)"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("&lt;", "&amp;lt;"),
        ("two\nlines\r\n here", "two lines here"),
        ("a\x00b", "a␀b"),
    ],
)
def test_markdown(text: str, written: str) -> None:
    assert markdown_text(text) == written


@given(st.text("ab \\|`*_[]~<>&\n", max_size=20))
def test_markdown_says_what_the_text_says(text: str) -> None:
    shown = html.unescape(re.sub(r"\\([\\`*\[\]~|_])", r"\1", markdown_text(text)))
    assert shown == " ".join(text.split())


@given(st.text(st.characters(), max_size=20))
def test_json_can_always_be_encoded(text: str) -> None:
    json_text(text).encode()
