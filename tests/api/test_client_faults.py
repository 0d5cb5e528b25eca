"""Tests the client against each network fault, over real sockets."""

import gzip
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.rigs.load import slowdown
from tests.rigs.names import HostNames
from tests.rigs.wire import refusing_port
from usage_viewer.api import Timeouts
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.domain.network_errors import (
    ConnectionFailed,
    HostNotFound,
    NotJson,
    ProxyFailed,
    ResponseTooSlow,
    ServerFailed,
    TimedOut,
    TlsFailed,
    TooLarge,
)

if TYPE_CHECKING:
    from tests.api.conftest import MakeClient
    from tests.rigs.scripted_server import Answer
    from tests.rigs.scripted_server import ScriptedServer as Server

PATH = "/organization/usage/completions"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def _slowly(piece: bytes, seconds: float, times: int) -> list[bytes | float]:
    return [part for _ in range(times) for part in (piece, seconds)]


def _faults(answer: "type[Answer]") -> "dict[str, tuple[Answer, type[UsageViewerError]]]":
    bomb = gzip.compress(b"0" * (64 << 20))
    return {
        "closed without a response": (answer(pieces=[b""]), ConnectionFailed),
        "closed in the headers": (answer(pieces=[HEAD]), ConnectionFailed),
        "not HTTP": (answer(pieces=[b"SSH-2.0-OpenSSH_9.2\r\n"]), ConnectionFailed),
        "closed in the body": (answer(200, b"{", length=100, close=True), ConnectionFailed),
        "closed in a chunk": (
            answer(pieces=[HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\n[1,"]),
            ConnectionFailed,
        ),
        "invalid Content-Length": (answer(pieces=[HEAD + b"Content-Length: many\r\n\r\n{}"]), ConnectionFailed),
        "stalled before the headers": (answer(pieces=[2.0]), TimedOut),
        "stalled in the body": (answer(pieces=[HEAD + b"Content-Length: 9\r\n\r\n[1,", 2.0]), TimedOut),
        "slow body": (
            answer(pieces=[HEAD + b"Content-Length: 99\r\n\r\n", *_slowly(b" ", 0.1, 99)]),
            ResponseTooSlow,
        ),
        "slow headers": (answer(pieces=[HEAD + b"X: ", *_slowly(b"x", 0.1, 99)]), ResponseTooSlow),
        "too large by Content-Length": (answer(200, b"", length=1 << 40), TooLarge),
        "too large": (answer(pieces=[HEAD + b"\r\n" + b"0" * (2 << 20)]), TooLarge),
        "gzip bomb": (answer(200, bomb, {"Content-Encoding": "gzip"}), TooLarge),
        "truncated gzip": (
            answer(200, gzip.compress(b"[1, 2, 3]")[:-9], {"Content-Encoding": "gzip"}),
            ConnectionFailed,
        ),
        "damaged gzip": (answer(200, b"not packed at all", {"Content-Encoding": "gzip"}), NotJson),
        "unknown encoding": (answer(200, b"x", {"Content-Encoding": "br"}), NotJson),
        "error status and stalled body": (
            answer(pieces=[b"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n", 2.0]),
            ServerFailed,
        ),
        "error status and large body": (answer(500, b"x" * (1 << 20)), ServerFailed),
    }


@pytest.mark.parametrize("name", [
    "closed without a response", "closed in the headers", "not HTTP", "closed in the body", "closed in a chunk",
    "invalid Content-Length", "stalled before the headers", "stalled in the body", "slow body",
    "slow headers", "too large by Content-Length", "too large", "gzip bomb", "truncated gzip",
    "damaged gzip", "unknown encoding", "error status and stalled body", "error status and large body",
])  # fmt: skip
def test_network_faults_are_typed_errors(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient", name: str
) -> None:
    fault, kind = _faults(answer)[name]
    server.answers = [fault]
    client = make_client(server.base_url, attempts=1, timeouts=Timeouts(connect=0.5, read=0.5, total=1.0))
    begun = time.monotonic()
    with pytest.raises(kind) as caught:
        client.get(PATH)
    assert type(caught.value) is kind
    assert time.monotonic() - begun < 2.5 * slowdown()


@pytest.mark.parametrize("name", ["slow body", "slow headers"])
def test_response_that_trickles_is_reported_after_one_attempt(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient", name: str
) -> None:
    server.answers = [_faults(answer)[name][0]] * 6
    client = make_client(server.base_url, attempts=6, timeouts=Timeouts(connect=0.5, read=0.5, total=1.0))
    with pytest.raises(ResponseTooSlow):
        client.get(PATH)
    assert len(server.requests) == 1


def test_refused_connection(make_client: "MakeClient") -> None:
    with refusing_port() as port, pytest.raises(ConnectionFailed, match="refused"):
        make_client(f"http://127.0.0.1:{port}", attempts=1).get(PATH)


def test_unknown_host_name(make_client: "MakeClient", monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    HostNames().use(monkeypatch)
    with pytest.raises(HostNotFound, match="no-such-host"):
        make_client("https://no-such-host.invalid").get(PATH)


def test_server_without_tls(server: "Server", answer: "type[Answer]", make_client: "MakeClient") -> None:
    server.answers = [answer(pieces=[b"HTTP/1.1 400 Bad\r\n\r\n"])]
    with pytest.raises(TlsFailed):
        make_client(f"https://127.0.0.1:{server.port}").get(PATH)


def test_proxy_that_refuses_does_not_get_the_key(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://user:secret-word@127.0.0.1:{server.port}")
    server.answers = [answer(407, b"")]
    with pytest.raises(ProxyFailed) as caught:
        make_client("https://api.example/v1").get(PATH)
    assert "secret-word" not in str(caught.value)
    assert len(server.requests) == 1
    assert not any("authorization" in request.headers for request in server.requests)


@pytest.mark.parametrize(
    "proxy", ["http://user:secret-word@127.0.0.1:{port}", "socks9://x", "http://[", "socks5://127.0.0.1:{port}"]
)
def test_unreachable_or_invalid_proxy(
    make_client: "MakeClient", monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    with refusing_port() as port:
        monkeypatch.setenv("https_proxy", proxy.format(port=port))
        with pytest.raises(ProxyFailed) as caught:
            make_client("https://api.example/v1").get(PATH)
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"https_proxy": "socks5://127.0.0.1:{port}"}, "https_proxy"),
        ({"HTTPS_PROXY": "socks5h://127.0.0.1:{port}"}, "HTTPS_PROXY"),
        ({"all_proxy": "socks5://127.0.0.1:{port}"}, "all_proxy"),
        ({"ALL_PROXY": "socks4://127.0.0.1:{port}"}, "ALL_PROXY"),
        ({"HTTP_PROXY": "http://127.0.0.1:{port}", "ALL_PROXY": "socks5://127.0.0.1:{port}"}, "ALL_PROXY"),
        ({"https_proxy": "socks5://127.0.0.1:{port}", "ALL_PROXY": "http://127.0.0.1:{port}"}, "https_proxy"),
        (
            {"https_proxy": "", "HTTPS_PROXY": "http://127.0.0.1:{port}", "all_proxy": "socks5://127.0.0.1:{port}"},
            "all_proxy",
        ),
        ({"Https_Proxy": "socks5://127.0.0.1:{port}"}, "Https_Proxy"),
    ],
)
def test_socks_proxy_is_named_by_its_own_variable(
    make_client: "MakeClient", monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], named: str
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        for spelling in (name, name.upper()):
            monkeypatch.delenv(spelling, raising=False)
    with refusing_port() as port:
        for name, value in environment.items():
            monkeypatch.setenv(name, value.format(port=port))
        with pytest.raises(ProxyFailed) as caught:
            make_client("https://api.example/v1").get(PATH)
    assert caught.value.hint == (f"Set {named} to the http:// URL of a proxy; SOCKS proxies are not supported.")


def test_cancellation_before_and_during_a_response(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient"
) -> None:
    server.answers = [answer(pieces=[HEAD + b"Content-Length: 9999\r\n\r\n", *_slowly(b" ", 0.02, 500)])]
    client = make_client(server.base_url)
    cancellation = Cancellation()
    threading.Timer(0.2, cancellation.cancel).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        client.get(PATH, cancellation=cancellation)
    assert time.monotonic() - begun < 0.5 * slowdown()
    with pytest.raises(Cancelled):
        client.get(PATH, cancellation=cancellation)
    assert len(server.requests) == 1


def test_cancellation_while_waiting_for_a_response(
    server: "Server", answer: "type[Answer]", make_client: "MakeClient"
) -> None:
    server.answers = [answer(pieces=[5.0])]
    cancellation = Cancellation()
    threading.Timer(0.2, cancellation.cancel).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        make_client(server.base_url).get(PATH, cancellation=cancellation)
    assert time.monotonic() - begun < 0.5 * slowdown()
