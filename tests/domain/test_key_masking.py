"""Keys are masked in text, log records and output."""

import base64
import html
import io
import json
import logging
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.keys import MASKED, SECRET, TEXT, leaks
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.key_masking import KeyFilter, mask_keys, redact, without_key


@pytest.fixture
def key() -> AdminKey:
    return AdminKey.parse(TEXT)


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


def logged(*arguments: object, **options: object) -> str:
    """Return what a handler with the filter writes for one record of a child logger."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    handler.addFilter(KeyFilter())
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


PLAIN = "Rk5wQ+8uYc/2HnX&vJ3<eDs6oMaPzLbG"
"""A key of a gateway, without a prefix and with characters that are escaped in URLs and HTML.

It has no part of the keys of other tests, which may still be in use.
"""
OWN = "sk-admin-Jd8yLb2RvXn5TfWq7CgKm3ZsPe9Hwxyz"


def test_filter_masks_every_key_in_use_whatever_its_form() -> None:
    assert leaks(logged("sent %s", PLAIN), PLAIN)
    own = AdminKey.parse(PLAIN)
    assert not leaks(logged("sent %s", PLAIN), PLAIN)
    assert not leaks(logged("sent %s", PLAIN[5:30]), PLAIN)
    del own
    assert leaks(logged("sent %s", PLAIN), PLAIN)  # a key that is gone is not kept for this


SPECIAL = """q/"+&<'>\\%=;q/"+&<'>\\%=;#Zq7"""
"""A key of a gateway that is escaped everywhere."""


def wrap(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)]


@pytest.mark.parametrize(
    "spell",
    [
        str,
        str.upper,
        str.lower,
        lambda text: quote(text, safe=""),
        lambda text: quote(text, safe="").lower(),
        html.escape,
        lambda text: json.dumps({"key": text}),
        lambda text: text.encode().hex(),
        lambda text: base64.b64encode(f"Bearer {text}".encode()).decode(),
        lambda text: base64.b64encode(f":{text}".encode()).decode(),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
        lambda text: f"{text[:12]}\n{text[12:]}",
        lambda text: "\n    ".join(wrap(text, 3)),
        lambda text: "=\r\n".join(wrap(text, 7)),
        lambda text: repr("\n".join(wrap(text, 4))),
        lambda text: "\n".join(wrap(base64.b64encode(f"Basic {text}".encode()).decode(), 6)),
        lambda text: "".join(f"%{ord(char):02x}" for char in text),
        lambda text: "".join(f"\\u{ord(char):04X}" for char in text),
        lambda text: "".join(f"\\x{ord(char):02x}" for char in text),
        lambda text: "".join(f"&#{ord(char)};" for char in text),
        lambda text: "".join(f"&#x{ord(char):x};" for char in text),
        lambda text: quote(text, safe="").replace("%", "%25"),
        lambda text: html.escape(html.escape(text)),
        lambda text: json.dumps(text).replace("/", "\\/"),
        lambda text: json.dumps(json.dumps({"key": f"{text}\\"})),
        lambda text: repr(f"Authorization: Bearer {text}".encode()),
    ],
)
@pytest.mark.parametrize("text", [PLAIN, OWN, SPECIAL])
def test_key_in_use_is_found_in_every_spelling(text: str, spell: Callable[[str], str]) -> None:
    own = AdminKey.parse(text)
    spelt = spell(text)
    masked = mask_keys(f"start {spelt} end")
    assert masked.startswith("start ")
    assert masked.endswith(" end")
    left = len(masked.replace("…", "")) - len("start  end") - len(spell(""))
    assert left <= len(own.masked)
    assert left < len(text) / 2


def test_keys_that_overlap_leave_no_part_of_each_other() -> None:
    shared = "Gx4tNq9MzB"
    keys = [
        AdminKey.parse(text) for text in (f"one-{shared}-abc", f"two-{shared}-xyz", f"{shared}-xyz-more", shared)
    ]
    for key in keys:
        for spelt in (key.reveal(), key.reveal().upper(), "\n".join(wrap(key.reveal(), 5)), key.reveal()[2:]):
            left = re.sub(r"[\s…<>]", "", mask_keys(f"<{spelt}>"))
            assert len(left) < 8, left
            assert not leaks(left.lower(), shared.lower())


@pytest.mark.parametrize("text", ["abc", "abcd", "abcde", "abcdefg", "abcdefgh"])
def test_short_key_in_use_leaves_other_text_readable(text: str) -> None:
    own = AdminKey.parse(text)
    assert mask_keys("hello world, %20 &amp; \\n") == "hello world, %20 &amp; \\n"
    assert (text in mask_keys(f"sent {text}!")) is (len(text) < 4)
    assert mask_keys("") == ""
    assert own.reveal() == text


@pytest.mark.parametrize("text", [PLAIN, OWN, SPECIAL])
def test_answer_of_a_server_is_stored_without_the_key(text: str) -> None:
    key = AdminKey.parse(text)
    for spelt in (json.dumps(text), json.dumps(f"is {text}."), json.dumps(text).replace("/", "\\/")):
        body = without_key(f'{{"model": {spelt}, "n": 1}}'.encode(), key)
        assert not leaks(json.loads(body)["model"], text.removeprefix("sk-admin-"))
        assert json.loads(body)["n"] == 1
    assert without_key(b'{"model": "gpt-5"}', key) == b'{"model": "gpt-5"}'


def test_short_key_that_is_a_word_of_the_answer_changes_nothing() -> None:
    key = AdminKey.parse("input_tokens")
    assert without_key(b'{"input_tokens": 5}', key) == b'{"input_tokens": 5}'


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
