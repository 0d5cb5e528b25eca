"""No output shows the admin key, and keys are masked in text and log records."""

import copy
import dataclasses
import inspect
import io
import json
import logging
import pickle
import pprint
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.admin_key import AdminKey, KeyFilter, KeyKind, mask_keys, redact
from usage_viewer.domain.errors import InputError

SECRET = "Zq7mW2xV9tLr4KpN8sHd3GfB6yTc"
TEXT = f"sk-admin-{SECRET}abcd"
MASKED = "sk-admin-…abcd"


def leaks(text: str, secret: str = SECRET) -> bool:
    """Report whether the text contains a part of 8 characters of the secret."""
    return any(secret[i : i + 8] in text for i in range(len(secret) - 7))


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


def test_redact_removes_the_key_and_its_parts(key: AdminKey) -> None:
    assert redact(f"refused: {TEXT}.", key) == f"refused: {MASKED}."
    assert redact("nothing to hide in sk-admin- keys", key) == "nothing to hide in sk-admin- keys"
    assert redact(f"piece {SECRET[3:11]} here", key) == "piece … here"
    assert redact(f"piece {SECRET[3:20]} here", key) == "piece … here"
    assert redact(f"cut short: {TEXT[:20]}", key) == "cut short: sk-admin-…"
    own = AdminKey.parse("company-gateway/" + SECRET)
    assert not leaks(redact(f"'{own.reveal()}'", own))


@given(st.text(st.sampled_from("ab-"), min_size=1, max_size=20), st.text(st.sampled_from("ab- "), max_size=60))
def test_redacted_text_contains_no_part_of_the_key(secret: str, text: str) -> None:
    key = AdminKey.parse(secret)
    cleaned = redact(text, key)
    assert not leaks(cleaned, secret)
    if len(secret) > 3:
        assert secret not in cleaned


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"Authorization: Bearer {TEXT}", "Authorization: Bearer sk-admin-…"),
        (f"b'\\n{TEXT}'", "b'\\nsk-admin-…'"),
        (f"sk-proj-{SECRET}, sk-svcacct-{SECRET}", "sk-proj-…, sk-svcacct-…"),
        (f"(sk-{SECRET})", "(sk-…)"),
        (f"\\nsk-{SECRET}{SECRET}", "\\nsk-…"),
        ("keys begin with sk-admin-.", "keys begin with sk-admin-."),
        (MASKED, MASKED),
        ("the risk-assessment and task-management", "the risk-assessment and task-management"),
    ],
)
def test_mask_keys_masks_everything_like_a_key(text: str, masked: str) -> None:
    assert mask_keys(text) == masked


def logged(*arguments: object, key: AdminKey | None = None, **options: object) -> str:
    """Return what a handler with the filter writes for one record of a child logger."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    keys = KeyFilter()
    if key is not None:
        keys.watch(key)
    handler.addFilter(keys)
    root = logging.Logger("root", logging.DEBUG)
    root.addHandler(handler)
    child = logging.Logger("child", logging.DEBUG)
    child.parent = root
    child.error(*arguments, **options)  # type: ignore[arg-type]
    return written.getvalue()


def test_filter_masks_message_and_arguments() -> None:
    assert logged(f"sent {TEXT}") == "child sent sk-admin-…\n"
    assert logged("sent %s and %r", TEXT, {"h": TEXT}) == "child sent sk-admin-… and {'h': 'sk-admin-…'}\n"
    assert logged("%(h)s", {"h": TEXT}) == "child sk-admin-…\n"
    assert logged("%r", f"Bearer {TEXT}".encode()) == "child b'Bearer sk-admin-…'\n"
    assert logged("100 %% of %d", 7) == "child 100 % of 7\n"


def test_filter_masks_exceptions_and_stacks() -> None:
    try:
        raise ValueError(f"refused {TEXT}")
    except ValueError:
        text = logged("failed", exc_info=True)
    assert "Traceback" in text
    assert "ValueError: refused sk-admin-…" in text
    assert not leaks(text)
    assert "Stack (most recent call last)" in logged("here", stack_info=True)


def test_filter_masks_arguments_that_do_not_match_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    text = logged("%d of %s", TEXT)
    assert not leaks(text)
    assert "sk-admin-…" in text
    assert capsys.readouterr().err == ""


def test_filter_masks_a_watched_key_of_any_format() -> None:
    own = AdminKey.parse("company-gateway/" + SECRET)
    assert leaks(logged("sent %s", own.reveal()))
    assert not leaks(logged("sent %s", own.reveal(), key=own))
    assert not leaks(logged("sent %s", own.reveal()[5:40], key=own))


def test_filter_removes_the_exception_from_the_record() -> None:
    error = ValueError(f"refused {TEXT}")
    record = logging.LogRecord("n", logging.INFO, __file__, 1, "m", None, (ValueError, error, None))
    KeyFilter().filter(record)
    assert record.exc_info is None
    assert record.exc_text == "ValueError: refused sk-admin-…"


def test_filter_masks_extra_fields() -> None:
    record = logging.LogRecord("n", logging.INFO, __file__, 1, "m", None, None)
    record.header = f"Bearer {TEXT}"
    assert KeyFilter().filter(record) is True
    assert vars(record)["header"] == "Bearer sk-admin-…"
