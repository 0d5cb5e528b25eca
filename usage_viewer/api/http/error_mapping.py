"""Maps httpx exceptions and error responses of the API to the typed errors of the domain."""

import re
import socket
import ssl
import unicodedata
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from usage_viewer.api.decode.nesting import check_nesting
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import KeyRefused, NotAnAdminKey, ScopeMissing, UsageViewerError
from usage_viewer.domain.key_masking import mask_keys, redact
from usage_viewer.domain.network_errors import (
    AddressNotAllowed,
    ConnectionFailed,
    HostNotFound,
    NetworkError,
    NotFound,
    ProxyFailed,
    RateLimited,
    RequestRefused,
    ServerError,
    ServerFailed,
    TimedOut,
    TlsFailed,
    WrongServer,
    WrongShape,
)
from usage_viewer.domain.origin import is_vendor_host

MAX_DETAIL = 300
"""Characters of a server's message that an error shows."""

_NEEDS_ADMIN = re.compile(r"(?<![\w-])admin (?:api )?key", re.IGNORECASE)
_SCOPE = re.compile(r"\bapi(?:\.[a-z_]+)*\.(?:read|write|request|delete)\b")
# Codes of OpenSSL for a rejected certificate (X509_V_ERR_…).
_WRONG_DATE = frozenset({9, 10})  # not yet valid, expired
_WRONG_HOST = frozenset({62, 64})  # host name or IP address mismatch
_NEEDS_OWNER = re.compile(r"\borganization owner\b|\bowner of the organization\b", re.IGNORECASE)
_OTHER_HOST = re.compile(r"\bmake your request to (?:https?://)?([\w.-]+\w)", re.IGNORECASE)
_ADDRESS = re.compile(r"\bIP\b|\bIP[ -]?address|\ballow[- ]?list|\bwhitelist", re.IGNORECASE)
_NOT_ALLOWED = re.compile(
    r"\bnot\b.{0,40}\b(?:allow|authori[sz]|permit|list)|\b(?:block|denied|restrict)", re.IGNORECASE
)
_MISSING_SCOPE = re.compile(r"missing scopes?:\s*([\w.]+\w)", re.IGNORECASE)

_ORGANIZATION_CODES = frozenset({"no_organization", "mismatched_organization"})
_ORGANIZATION_HINT = "Use an admin key that was created in the organization whose usage you want to see."


def network_error(error: httpx.HTTPError, host: str, proxy: str | None) -> NetworkError:
    """Return the typed error for an httpx exception of a request to `host` through `proxy` (a URL or None)."""
    causes = list(_causes(error))
    if isinstance(error, httpx.ProxyError):
        return ProxyFailed(sanitize(str(error)))
    if isinstance(error, httpx.TimeoutException):
        action = "connecting" if isinstance(error, httpx.ConnectTimeout) else "the response"
        return TimedOut(f"{action} took too long ({host})")
    if isinstance(error, httpx.ConnectError):
        for cause in causes:
            if isinstance(cause, ssl.SSLError):
                return _tls_failed(cause, host)
        if proxy is not None:
            return ProxyFailed(f"{_host_of(proxy)} can't be reached")
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return HostNotFound(host)
        reason = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), "")
        return ConnectionFailed(f"{host}: {reason or 'no connection'}")
    return ConnectionFailed(f"{host}: {sanitize(str(error)) or 'cut off'}")


def _tls_failed(error: ssl.SSLError, host: str) -> TlsFailed:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed(
            f"{host}: {sanitize(error.reason or str(error))}",
            title="The secure connection failed",
            hint="Check the base URL: the server at this address and port may not support https.",
        )
    hint = None
    if error.verify_code in _WRONG_DATE:
        hint = "Check this computer's date and time. If they are right, the server's certificate must be renewed."
    elif error.verify_code in _WRONG_HOST:
        hint = "Check the base URL: the certificate belongs to another server."
    return TlsFailed(f"{host}: {sanitize(error.verify_message or str(error))}", hint=hint)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _host_of(url: str) -> str:
    """Return host and port of a proxy URL, without user name and password."""
    return url.rpartition("@")[2].rpartition("://")[2].strip("/")


def sanitize(text: str, key: AdminKey | None = None) -> str:
    """Return untrusted text as one line of at most 300 characters, safe to show.

    Keys are masked (`key` also if it has an unusual form), invisible characters are escaped.
    """
    line = " ".join(text[: 8 * MAX_DETAIL].split())
    # Invisible characters inside a key must not keep it from being found.
    bare = "".join(char for char in line if unicodedata.category(char)[0] != "C")
    masked = mask_keys(bare) if key is None else redact(bare, key)
    line = visible(line) if masked == bare else masked
    return line if len(line) <= MAX_DETAIL else line[: MAX_DETAIL - 1].rstrip() + "…"


def status_error(status: int, headers: httpx.Headers, body: bytes, key: AdminKey) -> UsageViewerError:
    """Return the typed error for a response of the API whose status isn't 2xx.

    Reads the API's error object: `{"error": {"message", "type", "param", "code"}}`.
    """
    error_object = _error_object(body)
    message = _string(error_object, "message")
    detail = sanitize(message, key) or _status_text(status)
    if 300 <= status < 400:
        return _redirect_error(status, headers)
    if status in (401, 403) and message:
        return _access_error(status, message, detail, error_object) or _credential_error(
            status, message, detail, key, error_object
        )
    if status == 401:
        return (KeyRefused if key.looks_like_admin else NotAnAdminKey)(detail)
    if status == 403:
        return RequestRefused(detail, status=status, hint="A proxy or a firewall may refuse access to the server.")
    if status == 404:
        return NotFound(detail, status=status)
    if status == 407:
        return ProxyFailed(detail)
    if status == 429:
        return RateLimited(detail, status=status)
    if status == 408 or status >= 500:
        return ServerFailed(detail, status=status)
    return RequestRefused(detail, status=status, param=sanitize(_string(error_object, "param"), key))


def _access_error(status: int, message: str, detail: str, error_object: dict[str, Any]) -> UsageViewerError | None:
    """Return the error of a refusal that is not about the key; None for any other."""
    code = _string(error_object, "code")
    host = _OTHER_HOST.search(message)
    if code == "incorrect_hostname" or (host is not None and is_vendor_host(host[1])):
        return _wrong_server(status, detail, host[1].lower() if host is not None else "")
    if "ip" in re.split("[_-]", code.lower()) or (_ADDRESS.search(message) and _NOT_ALLOWED.search(message)):
        return AddressNotAllowed(detail, status=status)
    if "unsupported_country" in code:
        return RequestRefused(
            detail, status=status, hint="OpenAI does not serve the country that you connect from."
        )
    return None


def _wrong_server(status: int, detail: str, host: str) -> WrongServer:
    """Return the error that names the host; only the vendor's own hosts become a server to use."""
    if not is_vendor_host(host):
        return WrongServer(detail, status=status)
    server = f"https://{host}/v1"
    return WrongServer(
        detail,
        status=status,
        server=server,
        title=f"This organization is served from {host}",
        hint=f"Set the server to {server}. The key is not at fault.",
    )


def _credential_error(
    status: int, message: str, detail: str, key: AdminKey, error_object: dict[str, Any]
) -> UsageViewerError:
    if not key.looks_like_admin:
        return NotAnAdminKey(detail)
    scope = _scope_in(message)
    if scope:
        hint = None if scope.startswith("api.usage") else f"Edit the admin key's permissions and allow {scope}."
        return ScopeMissing(detail, scope=scope, hint=hint)
    if _NEEDS_OWNER.search(message):
        return NotAnAdminKey(
            detail,
            title="The key's owner is not an organization owner",
            hint="Only an organization owner's admin key can read usage. Ask an owner to create one.",
        )
    if _NEEDS_ADMIN.search(message):
        return NotAnAdminKey(detail)
    code = _string(error_object, "code")
    if code in _ORGANIZATION_CODES:
        return KeyRefused(detail, title="The key does not belong to this organization", hint=_ORGANIZATION_HINT)
    return KeyRefused(detail) if status == 401 else ScopeMissing(detail)


def _scope_in(message: str) -> str:
    """Return the scope that a message names, such as `api.usage.read`; "" if there is none."""
    missing = _MISSING_SCOPE.search(message)
    if missing:
        return missing[1][:100]
    mentioned = _SCOPE.search(message)
    return mentioned[0][:100] if mentioned else ""


def _redirect_error(status: int, headers: httpx.Headers) -> ServerError:
    # Redirects are not followed: the key must go to no other host than that of the base URL.
    try:
        url = httpx.URL(headers.get("location", ""))
        target = sanitize(f"{url.scheme}://{url.host}{url.path}" if url.host else url.path)
    except httpx.InvalidURL:
        target = ""
    return ServerError(
        f"to {target}" if target else f"HTTP {status}",
        status=status,
        title="The server redirects to another address",
        hint="Check the base URL. Redirects are not followed, so that the key is sent to no other server.",
    )


def _error_object(body: bytes) -> dict[str, Any]:
    """Return the error object of a body; empty if there is none, as in an HTML page of a proxy.

    Gateways send problem details (RFC 9457: `title` and `detail`) or only a `detail`, which may be a list of
    problems with a `msg` each. Their texts become the message.
    """
    try:
        check_nesting(body)
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, WrongShape):
        return {}
    inner = decoded.get("error", decoded) if isinstance(decoded, dict) else decoded
    if isinstance(inner, str):
        return {"message": inner}
    if not isinstance(inner, dict):
        return {}
    return inner if _string(inner, "message") else {**inner, "message": _problem_text(inner)}


def _problem_text(problem: dict[str, Any]) -> str:
    """Return title and detail of problem details in one text."""
    detail = problem.get("detail")
    if isinstance(detail, list):
        texts = [entry.get("msg") for entry in detail if isinstance(entry, dict)]
        detail = "; ".join(text for text in texts if isinstance(text, str))
    parts = [problem.get("title"), detail]
    return ": ".join(part for part in parts if isinstance(part, str) and part)


def _string(error_object: dict[str, Any], name: str) -> str:
    value = error_object.get(name)
    return value if isinstance(value, str) else ""


def _status_text(status: int) -> str:
    try:
        return f"HTTP {status} ({HTTPStatus(status).phrase}), without a message"
    except ValueError:
        return f"HTTP {status}, without a message"
