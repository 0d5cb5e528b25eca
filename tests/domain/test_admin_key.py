"""No output of an admin key shows its text."""

import copy
import dataclasses
import inspect
import json
import pickle
import pprint
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.keys import MASKED, SECRET, TEXT, leaks
from usage_viewer.domain.admin_key import AdminKey, KeyKind
from usage_viewer.domain.errors import InputError


@pytest.fixture
def key() -> AdminKey:
    return AdminKey.parse(TEXT)


@pytest.mark.parametrize(
    "pasted",
    [
        TEXT,
        f"  {TEXT}\n",
        f'"{TEXT}"',
        f" '{TEXT}' ",
        f"“{TEXT}”",
        f"`{TEXT}`",
        f"Bearer {TEXT}",
        f"bearer   {TEXT}",
        f'"Bearer {TEXT}"',
        f'Bearer "{TEXT}"',
        f"\ufeff{TEXT}\u200b",
        f"\u00a0{TEXT}\r\n",
    ],
)
def test_parse_removes_what_surrounds_a_pasted_key(pasted: str) -> None:
    assert AdminKey.parse(pasted).reveal() == TEXT


@pytest.mark.parametrize(
    ("pasted", "title"),
    [
        ("", "No key was entered"),
        (" \n\t", "No key was entered"),
        ('""', "No key was entered"),
        ("Bearer ", "No key was entered"),
        (f"sk-admin-{SECRET} {SECRET}", "A key has no spaces or line breaks"),
        (f"sk-admin-{SECRET}\n{SECRET}", "A key has no spaces or line breaks"),
        (f"sk-admin-{SECRET}\u00a0{SECRET}", "A key has no spaces or line breaks"),
        (f"sk-admin-{SECRET}\u00e9{SECRET}", "The key has invalid characters"),
        (f"sk-admin-{SECRET}\u200b{SECRET}", "The key has invalid characters"),
        (f"sk-admin-{SECRET}\x00", "The key has invalid characters"),
        (f"sk-admin-{SECRET}\x7f{SECRET}", "The key has invalid characters"),
        ((SECRET * 20)[:513], "The key is too long"),
    ],
)
def test_parse_refuses_invalid_keys_without_quoting_them(pasted: str, title: str) -> None:
    with pytest.raises(InputError) as caught:
        AdminKey.parse(pasted)
    assert caught.value.title == title
    assert caught.value.hint
    assert caught.value.hint != InputError.default_hint
    assert not leaks(f"{caught.value} {caught.value.hint} {caught.value.detail}")
    own_frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack[1:]
    assert own_frames, "parse's own frames have to be looked at"
    assert not leaks(str([frame.locals for frame in own_frames]))


def test_key_of_maximum_length_is_accepted() -> None:
    assert len(AdminKey.parse("k" * 512).reveal()) == 512


def test_long_garbage_is_refused_fast() -> None:
    with pytest.raises(InputError):
        AdminKey.parse("Bearer " * 150_000)


@given(st.text())
def test_parse_returns_a_key_or_raises_input_error(text: str) -> None:
    try:
        key = AdminKey.parse(text)
    except InputError:
        return
    assert key.reveal() in text
    assert key.reveal().isascii()
    assert key.reveal().isprintable()
    assert not set(key.reveal()) & set(" \t\r\n")
    assert AdminKey.parse(key.reveal()) == key


@dataclasses.dataclass
class Holder:
    key: AdminKey


def test_no_output_shows_the_key(key: AdminKey) -> None:
    shown = [
        repr(key),
        str(key),
        f"{key}",
        f"{key!r:>40}",
        f"{key:>40}",
        "%s %r" % (key, key),  # noqa: UP031 # the old format calls other methods
        repr([key, {"key": key}]),
        pprint.pformat(Holder(key)),
        str(dataclasses.asdict(Holder(key))),
        str(inspect.getmembers(key)),
        str(ValueError(key)),
        json.dumps({"key": key}, default=str),
    ]
    for text in shown:
        assert not leaks(text)
    assert str(key) == MASKED
    assert MASKED in repr(key)
    with pytest.raises(TypeError):
        vars(key)


def test_traceback_with_local_variables_shows_the_masked_key(key: AdminKey) -> None:
    def fails(held: AdminKey) -> None:
        raise RuntimeError(f"with {held}")

    with pytest.raises(RuntimeError) as caught:
        fails(key)
    rendered = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert MASKED in rendered
    assert not leaks(rendered)


def test_key_can_not_be_pickled_copied_changed_hashed_or_constructed(key: AdminKey) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(key, protocol)
    assert copy.copy(key) is key
    assert copy.deepcopy(key) is key
    with pytest.raises(AttributeError):
        key._open = lambda: "other"
    with pytest.raises(AttributeError):
        del key._open
    with pytest.raises(TypeError):
        hash(key)
    with pytest.raises(TypeError):
        AdminKey()
    assert key.reveal() == TEXT


def test_keys_with_equal_texts_are_equal(key: AdminKey) -> None:
    assert key == AdminKey.parse(f" {TEXT} ")
    assert key != AdminKey.parse(f"{TEXT}x")
    assert key != TEXT


@pytest.mark.parametrize(
    ("text", "kind", "masked"),
    [
        (TEXT, KeyKind.ADMIN, MASKED),
        (f"sk-proj-{SECRET}wxyz", KeyKind.PROJECT, "sk-proj-…wxyz"),
        (f"sk-svcacct-{SECRET}wxyz", KeyKind.SERVICE_ACCOUNT, "sk-svcacct-…wxyz"),
        (f"sk-{SECRET}wxyz", KeyKind.OTHER, "sk-…wxyz"),
        (f"{SECRET}wxyz", KeyKind.OTHER, "…wxyz"),
        ("sk-admin-short12", KeyKind.ADMIN, "sk-admin-…"),
        ("sk-admin-" + "x" * 23, KeyKind.ADMIN, "sk-admin-…"),
        ("sk-admin-" + "x" * 24, KeyKind.ADMIN, "sk-admin-…xxxx"),
        ("sk-admin-", KeyKind.ADMIN, "sk-admin-…"),
        ("a", KeyKind.OTHER, "…"),
        ("SK-ADMIN-" + SECRET, KeyKind.OTHER, f"…{SECRET[-4:]}"),
    ],
)
def test_prefix_determines_kind_and_masked_form(text: str, kind: KeyKind, masked: str) -> None:
    key = AdminKey.parse(text)
    assert key.kind is kind
    assert key.looks_like_admin is (kind is KeyKind.ADMIN)
    assert key.masked == masked
