import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.api.http.error_mapping import network_error, sanitize, status_error
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
NO_HEADERS = httpx.Headers()


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
def test_httpx_exceptions_are_typed_errors(error: httpx.HTTPError, kind: type[UsageViewerError]) -> None:
    assert type(network_error(error, "api.example", None)) is kind


def test_connect_error_with_a_proxy_is_a_proxy_error() -> None:
    error = network_error(httpx.ConnectError("no"), "api.example", "http://me:secret-word@proxy.example:3128")
    assert type(error) is ProxyFailed
    assert error.detail == "proxy.example:3128 can't be reached"


def test_unsupported_country() -> None:
    body = b'{"error": {"message": "Country not supported", "code": "unsupported_country_region_territory"}}'
    error = status_error(403, NO_HEADERS, body, KEY)
    assert type(error) is RequestRefused
    assert "country" in error.hint


def test_error_bodies_of_other_forms() -> None:
    assert status_error(400, NO_HEADERS, b'{"error": "no"}', KEY).detail == "no"
    assert status_error(400, NO_HEADERS, b'{"message": "no"}', KEY).detail == "no"
    assert status_error(400, NO_HEADERS, b'"no"', KEY).detail == "no"
    assert isinstance(status_error(403, NO_HEADERS, b'{"error": {"message": "no"}}', KEY), ScopeMissing)


def test_redirect_with_invalid_location() -> None:
    error = status_error(302, httpx.Headers({"location": "http://h:port/"}), b"", KEY)
    assert type(error) is ServerError
    assert error.detail == "HTTP 302"


@given(st.integers(300, 999), st.binary(max_size=200), st.text(max_size=50))
def test_any_response_is_a_typed_error(status: int, body: bytes, location: str) -> None:
    headers = httpx.Headers([(b"location", location.encode())])
    error = status_error(status, headers, body, KEY)
    assert error.title
    assert error.hint
    assert len(error.detail) <= 320


@given(st.text(max_size=400))
def test_sanitized_text_is_one_printable_line(text: str) -> None:
    line = sanitize(text)
    assert len(line) <= 300
    assert "\n" not in line
    assert visible(line) == line
    assert line == line.strip()


def test_key_with_invisible_characters_is_masked() -> None:
    assert "Zq7mW2xV9tLr" not in sanitize("sk-admin-te\u200bst-Zq7mW2x\x00V9tLr4KpN8sHd", KEY)


def test_invisible_characters_are_escaped() -> None:
    assert sanitize("for\u202egpj.exe\tand\n\u200bmore", KEY) == "for⟨U+202E⟩gpj.exe and ⟨U+200B⟩more"
