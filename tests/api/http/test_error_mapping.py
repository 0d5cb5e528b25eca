import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.api.http.error_mapping import network_error, plain, status_error
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import (
    ConnectionFailed,
    ProxyFailed,
    RequestRefused,
    ScopeMissing,
    ServerError,
    TimedOut,
    UsageViewerError,
)

KEY = AdminKey.parse("sk-admin-test-Zq7mW2xV9tLr4KpN8sHd")
NONE = httpx.Headers()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectTimeout(""), TimedOut),
        (httpx.PoolTimeout(""), TimedOut),
        (httpx.ReadError("reset"), ConnectionFailed),
        (httpx.RemoteProtocolError("odd"), ConnectionFailed),
        (httpx.ConnectError("no"), ConnectionFailed),
        (httpx.ProxyError("407"), ProxyFailed),
    ],
)
def test_exceptions_of_the_network(error: httpx.HTTPError, kind: type[UsageViewerError]) -> None:
    assert type(network_error(error, "api.example", None)) is kind


def test_who_can_not_be_reached_is_the_proxy_if_there_is_one() -> None:
    error = network_error(httpx.ConnectError("no"), "api.example", "http://me:secret-word@proxy.example:3128")
    assert type(error) is ProxyFailed
    assert error.detail == "proxy.example:3128 can't be reached"


def test_a_country_that_is_not_served() -> None:
    body = b'{"error": {"message": "Country not supported", "code": "unsupported_country_region_territory"}}'
    error = status_error(403, NONE, body, KEY)
    assert type(error) is RequestRefused
    assert "where you are" in error.hint


def test_other_forms_of_error_bodies() -> None:
    assert status_error(400, NONE, b'{"error": "no"}', KEY).detail == "no"
    assert status_error(400, NONE, b'{"message": "no"}', KEY).detail == "no"
    assert status_error(400, NONE, b'"no"', KEY).detail == "no"
    assert isinstance(status_error(403, NONE, b'{"error": {"message": "no"}}', KEY), ScopeMissing)


def test_a_redirect_to_nowhere() -> None:
    error = status_error(302, httpx.Headers({"location": "http://h:port/"}), b"", KEY)
    assert type(error) is ServerError
    assert error.detail == "HTTP 302"


@given(st.integers(300, 999), st.binary(max_size=200), st.text(max_size=50))
def test_any_answer_is_a_typed_error(status: int, body: bytes, location: str) -> None:
    headers = httpx.Headers([(b"location", location.encode())])
    error = status_error(status, headers, body, KEY)
    assert error.title
    assert error.hint
    assert len(error.detail) <= 320


@given(st.text(max_size=400))
def test_plain_text_is_one_printable_line(text: str) -> None:
    line = plain(text)
    assert len(line) <= 300
    assert "\n" not in line
    assert visible(line) == line
    assert line == line.strip()


def test_a_key_split_by_invisible_characters_is_masked_too() -> None:
    assert "Zq7mW2xV9tLr" not in plain("sk-admin-te\u200bst-Zq7mW2x\x00V9tLr4KpN8sHd", KEY)


def test_what_can_not_be_seen_in_a_message_is_written_out() -> None:
    assert plain("for\u202egpj.exe\tand\n\u200bmore", KEY) == "for⟨U+202E⟩gpj.exe and ⟨U+200B⟩more"
