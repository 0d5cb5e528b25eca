"""Error responses and the typed errors that the client raises for them."""

from typing import TYPE_CHECKING

import pytest

from usage_viewer.api import UsageClient
from usage_viewer.domain.errors import KeyRefused, NotAnAdminKey, ScopeMissing, UsageViewerError
from usage_viewer.domain.network_errors import (
    NotFound,
    ProxyFailed,
    RateLimited,
    RequestRefused,
    ServerError,
    ServerFailed,
)

if TYPE_CHECKING:
    from tests.api.conftest import MakeClient
    from tests.rigs.scripted_server import Answer
    from tests.rigs.scripted_server import ScriptedServer as Server

PATH = "/organization/usage/completions"


STATUSES: list[tuple[int, str, type[UsageViewerError], str]] = [
    (400, "Invalid group_by", RequestRefused, "group_by"),
    (401, "Incorrect API key provided", KeyRefused, ""),
    (401, "You must use an admin API key", NotAnAdminKey, ""),
    (403, "Missing scopes: api.usage.read. Check it.", ScopeMissing, ""),
    (403, "Only an admin key can do that", NotAnAdminKey, ""),
    (404, "Unknown", NotFound, ""),
    (405, "Not allowed", RequestRefused, ""),
    (407, "Who are you", ProxyFailed, ""),
    (408, "Too slow", ServerFailed, ""),
    (413, "Too much", RequestRefused, ""),
    (422, "Odd", RequestRefused, ""),
    (429, "Slow down", RateLimited, ""),
    (500, "Oops", ServerFailed, ""),
    (502, "Oops", ServerFailed, ""),
    (529, "Overloaded", ServerFailed, ""),
    (599, "Oops", ServerFailed, ""),
]


@pytest.mark.parametrize(("status", "message", "kind", "param"), STATUSES, ids=lambda value: str(value)[:12])
def test_statuses_are_typed_errors(
    server: "Server",
    answer: "type[Answer]",
    make_client: "MakeClient",
    status: int,
    message: str,
    kind: type[UsageViewerError],
    param: str,
) -> None:
    server.answers = [answer.error(status, message, param=param or None)]
    with pytest.raises(kind) as caught:
        make_client(server.base_url, attempts=1).get(PATH)
    assert type(caught.value) is kind
    assert caught.value.detail == message
    if isinstance(caught.value, ServerError):
        assert caught.value.status == status
        assert caught.value.param == param


@pytest.mark.parametrize(
    ("message", "scope"),
    [
        (
            "You have insufficient permissions for this operation. Missing scopes: api.usage.read. Check …",
            "api.usage.read",
        ),
        ("See https://api.openai.com/docs. Needs api.management.read", "api.management.read"),
        ("You may not", ""),
    ],
)
def test_missing_scope_is_reported(
    server: "Server", answer: "type[Answer]", client: UsageClient, message: str, scope: str
) -> None:
    server.answers = [answer.error(403, message)]
    with pytest.raises(ScopeMissing) as caught:
        client.get(PATH)
    assert caught.value.scope == scope
    if scope.startswith("api.management"):
        assert scope in caught.value.hint
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("key", ["sk-proj-0123456789", "sk-svcacct-0123456789", "sk-0123456789012345678901234"])
def test_key_without_admin_prefix_is_reported(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient", status: int, key: str
) -> None:
    server.answers = [answer.error(status, "Missing scopes: api.usage.read")]
    with pytest.raises(NotAnAdminKey):
        make_client(server.base_url, key=key).get(PATH)


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body><script>alert(1)</script>Bad gateway</body></html>",
        b"",
        b"[" * 100_000,
        b"\xff\xfe",
        b"[1]",
        b"7",
        b'{"error": {"message": 7}}',
        b'{"error": null}',
    ],
    ids=["html", "empty", "nested", "not-utf-8", "list", "number", "odd", "null"],
)
@pytest.mark.parametrize(
    ("status", "kind"), [(400, RequestRefused), (401, KeyRefused), (403, RequestRefused), (502, ServerFailed)]
)
def test_error_bodies_without_a_message(
    server: "Server",
    answer: "type[Answer]",
    make_client: "MakeClient",
    body: bytes,
    status: int,
    kind: type[UsageViewerError],
) -> None:
    server.answers = [answer(status, body)]
    with pytest.raises(kind) as caught:
        make_client(server.base_url, attempts=1).get(PATH)
    assert caught.value.detail.startswith(f"HTTP {status} (")
    assert "<" not in caught.value.detail


def test_server_message_is_shortened_sanitized_and_masked(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient"
) -> None:
    key = "sk-admin-secret-" + "Zq7mW2xV9tLr4KpN8sHd"
    server.answers = [
        answer.error(400, f"a\x00b\x1b[31m\u202e {key}\nrest {key[20:32]} sk-proj-Abcdef123456 " + "x" * 5000)
    ]
    with pytest.raises(RequestRefused) as caught:
        make_client(server.base_url, key=key).get(PATH)
    detail = caught.value.detail
    assert len(detail) == 300
    assert detail.isprintable()
    assert key[20:32] not in detail
    assert "Abcdef123456" not in detail


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(
    server: "Server", answer: "type[Answer]", client: UsageClient, status: int
) -> None:
    server.answers = [answer(status, b"", {"Location": f"http://127.0.0.1:{server.port}/elsewhere?token=1"})]
    with pytest.raises(ServerError) as caught:
        client.get(PATH)
    assert len(server.requests) == 1
    assert caught.value.title == "The server redirects to another address"
    assert caught.value.detail == "to http://127.0.0.1/elsewhere"
