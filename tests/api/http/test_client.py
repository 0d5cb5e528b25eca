import gzip
import json
import logging
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from usage_viewer.api import Retry, Timeouts, UsageClient
from usage_viewer.api.http.memory_budget import SMALL, TOGETHER
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import (
    Cancelled,
    ConnectionFailed,
    InputError,
    KeyRefused,
    NotAnAdminKey,
    NotFound,
    ProxyFailed,
    RateLimited,
    RequestRefused,
    ScopeMissing,
    ServerError,
    ServerFailed,
    UsageViewerError,
)

if TYPE_CHECKING:
    from tests.api.conftest import MakeClient
    from tests.rigs.scripted_server import Answer
    from tests.rigs.scripted_server import ScriptedServer as Server
    from tests.rigs.waits import Waits

PATH = "/organization/usage/completions"


def test_a_request_carries_key_and_parameters(
    server: "Server", answer: "type[Answer]", client: UsageClient
) -> None:
    server.answers = [answer.json({"a": 1})]
    body = client.get(PATH, [("group_by", "model"), ("group_by", "batch"), ("page", "a+b/=&ä")])
    assert json.loads(body) == {"a": 1}
    (request,) = server.requests
    assert request.path == "/v1" + PATH
    assert request.query == (("group_by", "model"), ("group_by", "batch"), ("page", "a+b/=&ä"))
    assert request.headers["authorization"].startswith("Bearer sk-admin-test-")
    assert request.headers["accept-encoding"] == "gzip"


def test_connections_are_kept(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.answers = [answer.json({})]
    for _ in range(5):
        client.get(PATH)
    assert server.connections == 1


def test_closing_lets_go_of_what_is_idle(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.answers = [answer.json({})]
    client.get(PATH)
    client.close()
    server.wait_until_left()


def test_a_call_under_way_ends_well_and_leaves_nothing_open(
    server: "Server", answer: "type[Answer]", client: UsageClient
) -> None:
    closed = threading.Event()

    def script(request: object) -> "Answer":
        closed.wait(5)
        return answer.error(500, retry_after_ms="1") if len(server.requests) < 3 else answer(200, b"data")

    server.script = script
    answers: list[bytes] = []
    call = threading.Thread(target=lambda: answers.append(client.get(PATH)))
    call.start()
    while not server.requests:
        time.sleep(0.005)
    client.close()
    closed.set()
    call.join(5)
    assert answers == [b"data"]
    server.wait_until_left()


def test_a_call_that_comes_after_closing_leaves_nothing_open(
    server: "Server", answer: "type[Answer]", client: UsageClient
) -> None:
    server.answers = [answer.json({})]
    client.close()
    for _ in range(2):
        assert client.get(PATH) == b"{}"
        server.wait_until_left()


def test_large_answers_wait_for_room_in_memory(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient"
) -> None:
    client = make_client(server.base_url, max_body=TOGETHER)
    server.script = lambda request: answer(200, b" " * int(request["size"]))
    within, most = [0], [0]
    changing = threading.Lock()

    def ask(size: int) -> None:
        with client.answer(PATH, [("size", str(size))]) as body:
            with changing:
                within[0] += 1
                most[0] = max(most[0], within[0])
            time.sleep(0.05)
            assert len(body) == size
            with changing:
                within[0] -= 1

    for size, together in ((TOGETHER - SMALL, 1), (2 * SMALL, 4)):
        most[0] = 0
        threads = [threading.Thread(target=ask, args=(size,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert (within[0], most[0] == 1) == (0, together == 1)


def test_to_wait_for_room_is_not_to_wait_for_the_server(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient"
) -> None:
    large = TOGETHER // 2 + 1
    client = make_client(server.base_url, max_body=TOGETHER, timeouts=Timeouts(connect=2.0, read=2.0, total=1.5))
    server.answers = [answer(200, b" " * large)]
    lengths: list[int] = []
    with client.answer(PATH):
        waiting = threading.Thread(target=lambda: lengths.append(len(client.get(PATH))))
        waiting.start()
        time.sleep(2.0)
        assert not lengths
    waiting.join(5)
    assert lengths == [large]
    assert len(server.requests) == 2


def test_one_client_serves_many_threads(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.script = lambda request: answer.json(request["n"])
    answers: dict[int, bytes] = {}

    def ask(number: int) -> None:
        answers[number] = client.get(PATH, [("n", str(number))])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == {number: f'"{number}"'.encode() for number in range(16)}


def test_packed_answers(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    body = json.dumps(list(range(10_000))).encode()
    server.answers = [answer(200, gzip.compress(body), {"Content-Encoding": "gzip"})]
    assert client.get(PATH) == body


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
def test_the_missing_scope_is_named(
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
def test_a_key_that_is_no_admin_key(
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
def test_error_bodies_that_explain_nothing(
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


def test_a_message_is_cut_cleaned_and_without_keys(
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
def test_a_redirect_is_not_followed(
    server: "Server", answer: "type[Answer]", client: UsageClient, status: int
) -> None:
    server.answers = [answer(status, b"", {"Location": f"http://127.0.0.1:{server.port}/elsewhere?token=1"})]
    with pytest.raises(ServerError) as caught:
        client.get(PATH)
    assert len(server.requests) == 1
    assert caught.value.title == "The server redirects elsewhere"
    assert caught.value.detail == "to http://127.0.0.1/elsewhere"


def test_retries_go_on_until_the_answer(
    server: "Server", answer: "type[Answer]", client: UsageClient, waits: "Waits"
) -> None:
    server.answers = [
        answer.error(429, Retry_After="7"),
        answer.error(500),
        answer(pieces=[b""]),
        answer.error(503, retry_after_ms="250"),
        answer.json("done"),
    ]
    said: list[Retry] = []
    assert client.get(PATH, on_retry=said.append) == b'"done"'
    assert waits.seconds[0] == 7
    assert waits.seconds[3] == 0.25
    assert [type(retry.error) for retry in said] == [RateLimited, ServerFailed, ConnectionFailed, ServerFailed]
    assert [retry.attempt for retry in said] == [1, 2, 3, 4]


def test_no_more_tries_than_the_policy_allows(
    server: "Server", answer: "type[Answer]", client: UsageClient, waits: "Waits"
) -> None:
    server.answers = [answer.error(503)]
    with pytest.raises(ServerFailed):
        client.get(PATH)
    assert len(server.requests) == 6
    assert len(waits.seconds) == 5


def test_cancelled_while_waiting(
    server: "Server", answer: "type[Answer]", client: UsageClient, waits: "Waits"
) -> None:
    server.answers = [answer.error(503)]
    waits.cancel_at = 2
    with pytest.raises(Cancelled):
        client.get(PATH)
    assert len(server.requests) == 2


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_the_key_is_in_no_error_and_no_log(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient", caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = "sk-admin-secret-Zq7mW2xV9tLr4KpN8sHd"
    server.answers = [
        answer.error(401, f"Incorrect API key provided: {key}"),
        answer(pieces=[HEAD]),
        answer(301, b"", {"Location": "/there"}),
        answer.json({}),
    ]
    text = ""
    chained: set[traceback.TracebackException | None] = set()
    for _ in range(4):
        try:
            make_client(server.base_url, key=key, attempts=1).get(PATH)
        except UsageViewerError as error:
            inner = error.__traceback__ and error.__traceback__.tb_next  # without this test's own variables
            told = traceback.TracebackException(type(error), error, inner, capture_locals=True)
            chained |= {told.__cause__, told.__context__}
            text += "".join(told.format())
    assert chained == {None}  # a chain would lead to the request
    text += caplog.text
    assert "redirects elsewhere" in text
    for start in range(9, len(key) - 8):
        assert key[start : start + 8] not in text


def test_a_certificate_file_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    key = AdminKey.parse("sk-admin-x")
    with (
        UsageClient("https://api.example", key, ca_file=tmp_path / "no.pem") as client,
        pytest.raises(InputError, match=r"no\.pem"),
    ):
        client.get(PATH)


def test_the_servers_clock(server: "Server", answer: "type[Answer]", make_client: "MakeClient") -> None:
    client = make_client(server.base_url, clock=lambda: 1_790_000_000.0)
    assert client.now() == 1_790_000_000.0
    server.answers = [answer.json({}, Date="Mon, 21 Sep 2026 13:33:20 GMT"), answer.json({}, Date="never")]
    client.get(PATH)
    assert client.now() == pytest.approx(1_790_000_000, abs=12 * 3600)
    assert client.now() != 1_790_000_000.0
    told = client.now()
    client.get(PATH)
    assert client.now() == told


def test_who_asks_is_told_how_wrong_the_clock_is(server: "Server", answer: "type[Answer]") -> None:
    told: list[float] = []
    server.answers = [
        answer.json({}, Date="Mon, 21 Sep 2026 15:13:20 GMT"),
        answer.json({}, Date="Mon, 21 Sep 2026 12:13:20 GMT", Age="3600"),  # out of a cache
        answer.json({}, Date="Mon, 21 Sep 2026 14:13:22 GMT"),
    ]
    clock = 1_790_000_000.0  # Mon, 21 Sep 2026 14:13:20
    with UsageClient(
        server.base_url, AdminKey.parse("sk-admin-x" * 3), clock=lambda: clock, on_clock_error=told.append
    ) as client:
        for _ in range(3):
            client.get(PATH)
    assert told == [3600.0, 0.0]
