"""Tests the texts of the formats."""

import html
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.app.export import TEXT_FORMATS, Export, Format
from usage_viewer.app.export.export import render
from usage_viewer.app.export.formats import json_text, markdown_text
from usage_viewer.domain.table import GroupColumn, Table
from usage_viewer.domain.view_parts import Value

MakeTable = Callable[..., Table]


@pytest.mark.parametrize(
    ("text", "markdown"),
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
def test_markdown_escapes(text: str, markdown: str) -> None:
    assert markdown_text(text) == markdown


@given(st.text("ab \\|`*_[]~<>&\n", max_size=20))
def test_markdown_shows_the_text(text: str) -> None:
    shown = html.unescape(re.sub(r"\\([\\`*\[\]~|_])", r"\1", markdown_text(text)))
    assert shown == " ".join(text.split())


@given(st.text(st.characters(), max_size=20))
def test_json_can_be_encoded(text: str) -> None:
    json_text(text).encode()


@pytest.mark.parametrize("form", TEXT_FORMATS)
def test_adjacent_groups_are_written_like_single_ones(make_table: MakeTable, form: Format) -> None:
    """Compares a table whose rows share groups, whose texts are joined once a group, with a plain one."""
    texts: dict[str, list[Value]] = {"model": ["a\t", "=b", "a\t", None], "user_id": ["x|", "<y>", "x|", "z"]}
    plain = make_table(texts, {"count": [1, 2, 3, 4]}, days=True)
    group = np.array([0, 1, 0, 2], np.int32)
    columns = [
        replace(column, known=column.codes[[0, 1, 3]], group=group) if isinstance(column, GroupColumn) else column
        for column in plain.columns
    ]
    grouped = Table(tuple(columns), plain.rows)
    rows = np.array([3, 0, 1, 2])
    assert render(Export(grouped, rows), form) == render(Export(plain, rows), form)
