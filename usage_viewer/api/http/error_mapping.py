"""What goes wrong on the way as typed errors: exceptions of the network, and answers that are errors."""

import re
import socket
import ssl
import unicodedata
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from usage_viewer.domain.admin_key import AdminKey, mask_keys, redact
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import (
    ConnectionFailed,
    HostNotFound,
    KeyRefused,
    NetworkError,
    NotAnAdminKey,
    NotFound,
    ProxyFailed,
    RateLimited,
    RequestRefused,
    ScopeMissing,
    ServerError,
    ServerFailed,
    TimedOut,
    TlsFailed,
    UsageViewerError,
)

MAX_DETAIL = 300
"""Characters kept of a server's message."""

_NEEDS_ADMIN = re.compile(r"(?<![\w-])admin (?:api )?key", re.IGNORECASE)
_SCOPE = re.compile(r"\bapi(?:\.[a-z_]+)*\.(?:read|write|request|delete)\b")
# OpenSSL's numbers for why a certificate was not accepted.
_OUT_OF_DATE = frozenset({9, 10})
_OF_ANOTHER = frozenset({62, 64})
_MISSING = re.compile(r"missing scopes?:\s*([\w.]+\w)", re.IGNORECASE)


def network_error(error: httpx.HTTPError, host: str, proxy: str | None) -> NetworkError:
    """The typed error for what httpx raised on the way to `host`."""
    causes = list(_causes(error))
    if isinstance(error, httpx.ProxyError):
        return ProxyFailed(plain(str(error)))
    if isinstance(error, httpx.TimeoutException):
        what = "connecting took" if isinstance(error, httpx.ConnectTimeout) else "an answer took"
        return TimedOut(f"{what} too long ({host})")
    if isinstance(error, httpx.ConnectError):
        for cause in causes:
            if isinstance(cause, ssl.SSLError):
                return _tls_failed(cause, host)
        if proxy is not None:
            return ProxyFailed(f"{_host_of(proxy)} can't be reached")
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return HostNotFound(host)
        said = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), "")
        return ConnectionFailed(f"{host}: {said or 'no connection'}")
    return ConnectionFailed(f"{host}: {plain(str(error)) or 'cut off'}")


def _tls_failed(error: ssl.SSLError, host: str) -> TlsFailed:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed(
            f"{host}: {plain(error.reason or str(error))}",
            title="No safe connection could be made",
            hint="Check the base URL: at this address and port there may be no server that speaks https.",
        )
    hint = None
    if error.verify_code in _OUT_OF_DATE:
        hint = "Check this computer's date and time. If they are right, the server's owner has to renew it."
    elif error.verify_code in _OF_ANOTHER:
        hint = "Check the base URL: the certificate is another server's."
    return TlsFailed(f"{host}: {plain(error.verify_message or str(error))}", hint=hint)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _host_of(url: str) -> str:
    """Host and port of a proxy, without the password that may stand before them."""
    return url.rpartition("@")[2].rpartition("://")[2].strip("/")


def plain(text: str, key: AdminKey | None = None) -> str:
    """One short line: keys masked, invisible characters written out, cut to 300 characters."""
    line = " ".join(text[: 8 * MAX_DETAIL].split())
    # What was put into a key does not hide it.
    bare = "".join(char for char in line if unicodedata.category(char)[0] != "C")
    masked = mask_keys(bare) if key is None else redact(bare, key)
    line = visible(line) if masked == bare else masked
    return line if len(line) <= MAX_DETAIL else line[: MAX_DETAIL - 1].rstrip() + "…"


def status_error(status: int, headers: httpx.Headers, body: bytes, key: AdminKey) -> UsageViewerError:
    """The typed error for an answer whose status isn't 2xx."""
    said = _said(body)
    message = _text(said, "message")
    detail = plain(message, key) or _unexplained(status)
    if 300 <= status < 400:
        return _redirected(status, headers)
    if status in (401, 403) and message:
        return _about_the_key(status, message, detail, key, said)
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
    return RequestRefused(detail, status=status, param=plain(_text(said, "param"), key))


def _about_the_key(status: int, message: str, detail: str, key: AdminKey, said: dict[str, Any]) -> UsageViewerError:
    if not key.looks_like_admin:
        return NotAnAdminKey(detail)
    scope = _scope_in(message)
    if status == 403 and scope:
        hint = None if scope.startswith("api.usage") else f"Edit the admin key's permissions and allow {scope}."
        return ScopeMissing(detail, scope=scope, hint=hint)
    if _NEEDS_ADMIN.search(message):
        return NotAnAdminKey(detail)
    if status == 401:
        return KeyRefused(detail)
    if "unsupported_country" in _text(said, "code"):
        return RequestRefused(detail, status=status, hint="The server can't be used from where you are.")
    return ScopeMissing(detail)


def _scope_in(message: str) -> str:
    """`api.usage.read` and the like; "" if the message names none."""
    missing = _MISSING.search(message)
    if missing:
        return missing[1][:100]
    named = _SCOPE.search(message)
    return named[0][:100] if named else ""


def _redirected(status: int, headers: httpx.Headers) -> ServerError:
    # Not followed: the key goes to the host that the user named, and to no other.
    try:
        place = httpx.URL(headers.get("location", ""))
        where = plain(f"{place.scheme}://{place.host}{place.path}" if place.host else place.path)
    except httpx.InvalidURL:
        where = ""
    return ServerError(
        f"to {where}" if where else f"HTTP {status}",
        status=status,
        title="The server redirects elsewhere",
        hint="Check the base URL. Redirects are not followed, so that the key goes nowhere else.",
    )


def _said(body: bytes) -> dict[str, Any]:
    """The error object of the body; empty if there is none, as in a page of a proxy."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    inner = decoded.get("error", decoded) if isinstance(decoded, dict) else decoded
    if isinstance(inner, str):
        return {"message": inner}
    return inner if isinstance(inner, dict) else {}


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _unexplained(status: int) -> str:
    try:
        return f"HTTP {status} ({HTTPStatus(status).phrase}), without an explanation"
    except ValueError:
        return f"HTTP {status}, without an explanation"
