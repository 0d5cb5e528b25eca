"""The limit of nesting counts lists and objects that are open at once, and no brackets in strings."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.api.decode.nesting import MAX_NESTING, check_nesting
from usage_viewer.domain.network_errors import WrongShape

FULL = b"[" * MAX_NESTING + b"]" * MAX_NESTING
OVER = b"[" + FULL + b"]"


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        b"[" + b",".join([b"[]", b"{}"] * 1000) + b"]",
        b'["' + b"[" * 500 + b'"]',
        b'["\\"' + b"[" * 500 + b'"]',
        b'["\\\\","' + b"{" * 500 + b'"]',
        b'["","' + b"[" * 500 + b'",""]',
        b"]" * 500,
        b"",
    ],
)
def test_text_within_the_limit_passes(text: bytes) -> None:
    check_nesting(text)


@pytest.mark.parametrize(
    "text",
    [
        OVER,
        OVER.replace(b"[", b"{").replace(b"]", b"}"),
        b"[" * (MAX_NESTING + 1),
        b'{"a":' * (MAX_NESTING + 1),
        b'["' + b"]" * 500 + b'",' + FULL + b"]",
        b'["\\\\",' + FULL + b"]",
        b'["","\\"]]",' + FULL + b"]",
        b"[1]" * 200 + OVER,
    ],
)
def test_text_over_the_limit_is_refused_with_its_path(text: bytes) -> None:
    with pytest.raises(WrongShape, match="nested too deeply") as caught:
        check_nesting(text, "data[3]")
    assert caught.value.path == "data[3]"


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


@given(
    st.recursive(
        st.text(alphabet='[]{}"\\a\n', max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='{["\\', max_size=3), inner),
        max_leaves=20,
    ),
    st.integers(0, 3),
)
def test_depth_equals_that_of_the_decoded_value(value: object, over: int) -> None:
    """The value lies in so many lists that it reaches the limit, or exceeds it by `over`."""
    # Many empty lists first: a text with few brackets is accepted without counting levels.
    outer = MAX_NESTING - _depth(value) - 1 + over
    text = b"[" + b"[]," * MAX_NESTING + b"[" * outer + json.dumps(value).encode() + b"]" * (outer + 1)
    assert _depth(msgspec.json.decode(text)) == MAX_NESTING + over
    if over:
        with pytest.raises(WrongShape):
            check_nesting(text)
    else:
        check_nesting(text)
