"""Tests that every column key survives being written as text, and that old texts keep their meaning."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from usage_viewer.domain.column_key import ColumnKey

# Names and values as people give them, rich in the signs that the text of a key uses.
NAMES = st.text(st.characters(), max_size=12) | st.text("ab@;=%240period where compared:", max_size=24)
MOMENTS = st.integers(-(2**40), 2**40)
KEYS = st.builds(
    ColumnKey,
    NAMES,
    st.none() | MOMENTS,
    st.none() | st.tuples(NAMES, st.none() | NAMES),
    st.booleans(),
    others=st.booleans(),
)


@given(KEYS)
@example(ColumnKey("a@"))
@example(ColumnKey("a%40@"))
@example(ColumnKey("input_tokens@compared"))
@example(ColumnKey("input_tokens", compared=True))
@example(ColumnKey("x", period=10**20))
@example(ColumnKey("input_tokens@others"))
def test_text_is_read_back_as_the_same_key(key: ColumnKey) -> None:
    assert ColumnKey.parse(key.text) == key


@given(KEYS, KEYS)
def test_different_keys_have_different_texts(one: ColumnKey, other: ColumnKey) -> None:
    assert (one.text == other.text) == (one == other)


@given(NAMES)
def test_any_text_is_a_key(text: str) -> None:
    assert ColumnKey.parse(text).text == text or ColumnKey.parse(text).is_plain


@given(KEYS)
def test_text_survives_a_json_file(key: ColumnKey) -> None:
    assert ColumnKey.parse(json.loads(json.dumps({key.text: 1})).popitem()[0]) == key


@pytest.mark.parametrize(
    "name", ["input_tokens", "model", "period", "extra.some field", "extra.a=b;c%40", "a@b", ""]
)
def test_text_of_a_plain_key_is_its_name(name: str) -> None:
    assert ColumnKey(name).text == name
    assert ColumnKey.parse(name) == ColumnKey(name)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (ColumnKey("input_tokens", period=1_790_812_800), "input_tokens@period=2026-10-01T00:00:00Z"),
        (ColumnKey("input_tokens", where=("model", "gpt-6")), "input_tokens@where=model=gpt-6"),
        (ColumnKey("input_tokens", where=("model", "")), "input_tokens@where=model="),
        (ColumnKey("input_tokens", where=("model", None)), "input_tokens@where=model"),
        (ColumnKey("input_tokens", where=("model", "a=b;c@d%")), "input_tokens@where=model=a%3db%3bc%40d%25"),
        (ColumnKey("input_tokens", compared=True), "input_tokens@compared"),
        (
            ColumnKey("amount", 0, ("currency", "usd"), True),
            "amount@period=1970-01-01T00:00:00Z;where=currency=usd;compared",
        ),
        (ColumnKey("amount@compared"), "amount%40compared@"),
    ],
)
def test_texts_of_keys_with_limits(key: ColumnKey, text: str) -> None:
    assert key.text == text


def test_another_figure_keeps_the_limits() -> None:
    key = ColumnKey("cached_share", 0, ("model", None), True)
    assert key.with_name("input_tokens") == ColumnKey("input_tokens", 0, ("model", None), True)


def test_keys_are_hashable_and_equal_by_value() -> None:
    assert len({ColumnKey("a"), ColumnKey("a"), ColumnKey("a", where=("a", None))}) == 2
    assert ColumnKey.of("a") == ColumnKey.of(ColumnKey("a"))
