import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.api.http.error_mapping import network_error, sanitize, status_error
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import CredentialError, KeyRefused, NotAnAdminKey, ScopeMissing, UsageViewerError
from usage_viewer.domain.network_errors import (
    AddressNotAllowed,
    ConnectionFailed,
    ProxyFailed,
    RequestRefused,
    ServerError,
    TimedOut,
    WrongServer,
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


def answered(status: int, message: str, code: str | None = None) -> UsageViewerError:
    return status_error(status, NO_HEADERS, json.dumps({"error": {"message": message, "code": code}}).encode(), KEY)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("region", ["us", "eu", "au", "in", "jp", "ae"])
@pytest.mark.parametrize("code", ["incorrect_hostname", None])
def test_organization_of_another_region_names_its_server(status: int, region: str, code: str | None) -> None:
    error = answered(status, f"Please make your request to {region}.api.openai.com.", code)
    assert isinstance(error, WrongServer)
    assert error.title == f"This organization is served from {region}.api.openai.com"
    assert error.server == f"https://{region}.api.openai.com/v1"
    assert error.server in error.hint


@pytest.mark.parametrize(
    "host", ["evil.example", "api.openai.com.evil.example", "evil-api.openai.com.example", "x.y.api.openai.com"]
)
def test_only_hosts_of_the_vendor_become_a_server(host: str) -> None:
    error = answered(401, f"Please make your request to {host}", "incorrect_hostname")
    assert isinstance(error, WrongServer)
    assert error.server == ""
    assert "key is not at fault" in error.hint


@pytest.mark.parametrize("status", [401, 403])
def test_missing_scope_has_one_hint_with_each_status(status: int) -> None:
    error = answered(status, "You have insufficient permissions. Missing scopes: api.usage.read.")
    assert isinstance(error, ScopeMissing)
    assert error.scope == "api.usage.read"
    assert error.hint == ScopeMissing.default_hint


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Your IP address is not on the organization's allow list.", None),
        ("Access denied: IP not authorized", "ip_not_authorized"),
        ("This IP 203.0.113.7 is blocked by your organization", None),
        ("Requests from this address are refused", "ip_address_not_allowed"),
        ("The IP allowlist of this organization does not permit your address", None),
    ],
)
@pytest.mark.parametrize("status", [401, 403])
def test_address_that_is_not_allowed_is_not_the_keys_fault(status: int, message: str, code: str | None) -> None:
    error = answered(status, message, code)
    assert isinstance(error, AddressNotAllowed)
    assert not isinstance(error, CredentialError)


def test_key_of_a_member_says_so() -> None:
    error = answered(403, "You must be an organization owner to read usage.")
    assert isinstance(error, NotAnAdminKey)
    assert error.title == "The key's owner is not an organization owner"


@pytest.mark.parametrize("code", ["no_organization", "mismatched_organization"])
def test_key_of_another_organization_is_not_called_mistyped(code: str) -> None:
    error = answered(401, "Organization header mismatch", code)
    assert isinstance(error, KeyRefused)
    assert "mistyped" not in error.hint


def test_wrong_key_is_called_wrong() -> None:
    error = answered(401, "Incorrect API key provided: sk-admin-…", "invalid_api_key")
    assert type(error) is KeyRefused
    assert error.hint == KeyRefused.default_hint


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            {"type": "about:blank", "title": "Bad", "detail": "group_by is odd", "status": 400},
            "Bad: group_by is odd",
        ),
        ({"detail": "group_by is odd"}, "group_by is odd"),
        ({"title": "Bad request"}, "Bad request"),
        (
            {"detail": [{"loc": ["query", "group_by"], "msg": "odd value"}, {"msg": "another"}]},
            "odd value; another",
        ),
        ({"error": {"title": "Bad", "detail": "odd"}}, "Bad: odd"),
    ],
)
def test_problem_details_are_read(status: int, body: object, detail: str) -> None:
    error = status_error(status, NO_HEADERS, json.dumps(body).encode(), KEY)
    assert type(error) is RequestRefused
    assert error.detail == detail
