import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.rigs.load import slowdown
from usage_viewer.api.http.transport import CHECK_EXTENSION, Transport

if TYPE_CHECKING:
    from tests.rigs.scripted_server import Answer
    from tests.rigs.scripted_server import ScriptedServer as Server


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(transport=Transport(None, None, 4), timeout=0.6) as client:
        yield client


class StopError(Exception):
    pass


def test_requests_and_connection_reuse(server: "Server", answer: "type[Answer]", http: httpx.Client) -> None:
    server.answers = [answer(200, b"x" * 200_000, {"X-Mood": "good"})]
    for _ in range(3):
        response = http.get(server.base_url + "/there?a=1&a=2")
        assert (response.status_code, response.headers["x-mood"], len(response.content)) == (200, "good", 200_000)
    assert server.requests[0].query == (("a", "1"), ("a", "2"))
    assert server.connections == 1


def test_read_ends_at_the_timeout(server: "Server", answer: "type[Answer]", http: httpx.Client) -> None:
    server.answers = [answer(pieces=[3.0])]
    begun = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        http.get(server.base_url)
    assert 0.5 < time.monotonic() - begun < 1.0 * slowdown()


def test_slow_response_within_the_timeout_is_complete(
    server: "Server", answer: "type[Answer]", http: httpx.Client
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
    server.answers = [answer(pieces=[0.3, head[:9], 0.3, head[9:], 0.3, b"da", 0.3, b"ta"])]
    assert http.get(server.base_url).content == b"data"


def test_check_ends_its_own_request_only(server: "Server", answer: "type[Answer]", http: httpx.Client) -> None:
    server.script = lambda request: answer(pieces=[3.0]) if request.path.endswith("stall") else answer(200, b"fine")
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise StopError

    ended: list[float] = []

    def stalled() -> None:
        with pytest.raises(StopError):
            http.get(server.base_url + "/stall", extensions={CHECK_EXTENSION: check}, timeout=3.0)
        ended.append(time.monotonic())

    thread = threading.Thread(target=stalled)
    thread.start()
    assert http.get(server.base_url + "/other").content == b"fine"
    stop.set()
    stopped = time.monotonic()
    assert http.get(server.base_url + "/other").content == b"fine"
    thread.join(5)
    assert ended[0] - stopped < 0.3
    assert http.get(server.base_url + "/stall-not").content == b"fine"


def test_errors_are_httpx_exceptions(server: "Server", answer: "type[Answer]", http: httpx.Client) -> None:
    server.answers = [answer(pieces=[b""]), answer(200, b"x", length=9, close=True)]
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(server.base_url)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "ftp://127.0.0.1", "http://"])
def test_other_kinds_of_proxy_are_rejected(proxy: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Transport(None, proxy, 1)
