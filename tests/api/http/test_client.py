import gzip
import json
import logging
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from usage_viewer.api import ClientOptions, Retry, Timeouts, UsageClient
from usage_viewer.api.http.memory_budget import STEP, TOTAL
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import Cancelled, InputError, UsageViewerError
from usage_viewer.domain.network_errors import ConnectionFailed, NotFound, RateLimited, ServerFailed

if TYPE_CHECKING:
    from tests.api.conftest import MakeClient
    from tests.rigs.scripted_server import Answer
    from tests.rigs.scripted_server import ScriptedServer as Server
    from tests.rigs.waits import Waits

PATH = "/organization/usage/completions"


def test_request_has_key_and_parameters(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.answers = [answer.json({"a": 1})]
    body = client.get(PATH, [("group_by", "model"), ("group_by", "batch"), ("page", "a+b/=&ä")])
    assert json.loads(body) == {"a": 1}
    (request,) = server.requests
    assert request.path == "/v1" + PATH
    assert request.query == (("group_by", "model"), ("group_by", "batch"), ("page", "a+b/=&ä"))
    assert request.headers["authorization"].startswith("Bearer sk-admin-test-")
    assert request.headers["accept-encoding"] == "gzip"


def test_connection_is_reused(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.answers = [answer.json({})]
    for _ in range(5):
        client.get(PATH)
    assert server.connections == 1


def test_close_closes_idle_connections(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.answers = [answer.json({})]
    client.get(PATH)
    client.close()
    server.wait_until_disconnected()


def test_running_call_completes_after_close_and_leaves_no_connection(
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
    server.wait_until_disconnected()


def test_call_after_close_leaves_no_connection(
    server: "Server", answer: "type[Answer]", client: UsageClient
) -> None:
    server.answers = [answer.json({})]
    client.close()
    for _ in range(2):
        assert client.get(PATH) == b"{}"
        server.wait_until_disconnected()


def test_large_responses_wait_for_memory(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient"
) -> None:
    client = make_client(server.base_url, max_body=TOTAL)
    server.script = lambda request: answer(200, b" " * int(request["size"]))
    current, most = [0], [0]
    lock = threading.Lock()

    def fetch(size: int) -> None:
        with client.get_within_budget(PATH, [("size", str(size))]) as body:
            with lock:
                current[0] += 1
                most[0] = max(most[0], current[0])
            time.sleep(0.05)
            assert len(body) == size
            with lock:
                current[0] -= 1

    for size, concurrent in ((TOTAL - STEP, 1), (2 * STEP, 4)):
        most[0] = 0
        threads = [threading.Thread(target=fetch, args=(size,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert (current[0], most[0] == 1) == (0, concurrent == 1)


def test_waiting_for_memory_does_not_count_towards_the_timeout(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient"
) -> None:
    large = TOTAL // 2 + 1
    client = make_client(server.base_url, max_body=TOTAL, timeouts=Timeouts(connect=2.0, read=2.0, total=1.5))
    server.answers = [answer(200, b" " * large)]
    lengths: list[int] = []
    with client.get_within_budget(PATH):
        waiting = threading.Thread(target=lambda: lengths.append(len(client.get(PATH))))
        waiting.start()
        time.sleep(2.0)
        assert not lengths
    waiting.join(5)
    assert lengths == [large]
    assert len(server.requests) == 2


def test_client_is_shared_by_many_threads(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    server.script = lambda request: answer.json(request["n"])
    answers: dict[int, bytes] = {}

    def fetch(number: int) -> None:
        answers[number] = client.get(PATH, [("n", str(number))])

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == {number: f'"{number}"'.encode() for number in range(16)}


def test_gzip_response_is_unpacked(server: "Server", answer: "type[Answer]", client: UsageClient) -> None:
    body = json.dumps(list(range(10_000))).encode()
    server.answers = [answer(200, gzip.compress(body), {"Content-Encoding": "gzip"})]
    assert client.get(PATH) == body


def test_request_is_retried_until_it_succeeds(
    server: "Server", answer: "type[Answer]", client: UsageClient, waits: "Waits"
) -> None:
    server.answers = [
        answer.error(429, Retry_After="7"),
        answer.error(500),
        answer(pieces=[b""]),
        answer.error(503, retry_after_ms="250"),
        answer.json("done"),
    ]
    retries: list[Retry] = []
    assert client.get(PATH, on_retry=retries.append) == b'"done"'
    assert waits.seconds[0] == 7
    assert waits.seconds[3] == 0.25
    assert [type(retry.error) for retry in retries] == [RateLimited, ServerFailed, ConnectionFailed, ServerFailed]
    assert [retry.attempt for retry in retries] == [1, 2, 3, 4]


def test_attempts_are_limited_by_the_policy(
    server: "Server", answer: "type[Answer]", client: UsageClient, waits: "Waits"
) -> None:
    server.answers = [answer.error(503)]
    with pytest.raises(ServerFailed):
        client.get(PATH)
    assert len(server.requests) == 6
    assert len(waits.seconds) == 5


def test_cancellation_during_a_retry_wait(
    server: "Server", answer: "type[Answer]", client: UsageClient, waits: "Waits"
) -> None:
    server.answers = [answer.error(503)]
    waits.cancel_at = 2
    with pytest.raises(Cancelled):
        client.get(PATH)
    assert len(server.requests) == 2


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_key_is_not_in_errors_or_logs(
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
            # Without the frame of this test, whose variables contain the key.
            inner = error.__traceback__ and error.__traceback__.tb_next
            rendered = traceback.TracebackException(type(error), error, inner, capture_locals=True)
            chained |= {rendered.__cause__, rendered.__context__}
            text += "".join(rendered.format())
    assert chained == {None}  # a chained exception would refer to the request
    text += caplog.text
    assert "redirects to another address" in text
    for start in range(9, len(key) - 8):
        assert key[start : start + 8] not in text


def test_unreadable_certificate_file_is_reported(tmp_path: Path) -> None:
    key = AdminKey.parse("sk-admin-x")
    with (
        UsageClient("https://api.example", key, ClientOptions(ca_file=tmp_path / "no.pem")) as client,
        pytest.raises(InputError, match=r"no\.pem"),
    ):
        client.get(PATH)


def test_now_is_corrected_by_the_date_header(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient"
) -> None:
    client = make_client(server.base_url, clock=lambda: 1_790_000_000.0)
    assert client.now() == 1_790_000_000.0
    server.answers = [answer.json({}, Date="Mon, 21 Sep 2026 13:33:20 GMT"), answer.json({}, Date="never")]
    client.get(PATH)
    assert client.now() == 1_790_000_000.0, "only an answer about usage corrects the clock"
    client.correct_clock(None)
    assert client.now() == pytest.approx(1_790_000_000, abs=12 * 3600)
    assert client.now() != 1_790_000_000.0
    corrected = client.now()
    client.get(PATH)
    client.correct_clock(None)
    assert client.now() == corrected


def test_clock_error_is_reported(server: "Server", answer: "type[Answer]") -> None:
    clock_errors: list[float] = []
    server.answers = [
        answer.json({}, Date="Mon, 21 Sep 2026 15:13:20 GMT"),
        answer.json({}, Date="Mon, 21 Sep 2026 12:13:20 GMT", Age="3600"),  # from a cache
        answer.json({}, Date="Mon, 21 Sep 2026 14:13:22 GMT"),
    ]
    clock = 1_790_000_000.0  # Mon, 21 Sep 2026 14:13:20
    options = ClientOptions(clock=lambda: clock, on_clock_error=clock_errors.append)
    with UsageClient(server.base_url, AdminKey.parse("sk-admin-x" * 3), options) as client:
        for _ in range(3):
            client.get(PATH)
            client.correct_clock(None)
    assert clock_errors == [3600.0, 0.0]


@pytest.mark.parametrize(
    ("date", "newest_usage"),
    [
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Sat, 15 Aug 2026 00:00:00 GMT", None),  # before the release
        ("Sat, 19 Sep 2026 14:13:20 GMT", 1_790_000_000 - 86400),
    ],
)
def test_impossible_dates_are_never_used(
    server: "Server", answer: "type[Answer]", date: str, newest_usage: int | None
) -> None:
    clock = 1_790_000_000.0  # Mon, 21 Sep 2026 14:13:20
    server.answers = [answer.json({}, Date=date), answer.json({}, Date="Mon, 21 Sep 2026 16:13:20 GMT")]
    options = ClientOptions(clock=lambda: clock)
    with UsageClient(server.base_url, AdminKey.parse("sk-admin-x" * 3), options) as client:
        for _ in range(2):
            client.get(PATH)
            client.correct_clock(newest_usage)
            assert client.now() == clock, "nor another date of the same server"


def test_404_blames_the_base_url_unless_other_requests_succeed(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient"
) -> None:
    server.answers = [answer.error(404), answer.json({}), answer.error(404)]
    bare = make_client(server.base_url.removesuffix("/v1"))
    with pytest.raises(NotFound) as raised:
        bare.get("/costs")
    assert raised.value.title == f"Address not found: {bare.base_url}"
    assert raised.value.hint == "Base URLs usually end in /v1."
    bare.get("/users")
    with pytest.raises(NotFound) as raised:
        bare.get("/costs")
    assert raised.value.title == "The server does not have this data"
    assert "base URL" not in raised.value.hint
