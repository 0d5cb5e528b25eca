"""Tests HTTP: keep-alive, compression, methods, dates, and closing."""

import gzip
import http.client
import json
import threading
import time
from urllib.parse import urlsplit

import pytest

from tests.rigs.load import slowdown
from usage_viewer.demo.server.faults import Fault
from usage_viewer.demo.server.server import DemoServer


def _connect(demo: DemoServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(demo.base_url).netloc, timeout=10)


def _get(
    connection: http.client.HTTPConnection, demo: DemoServer, path: str, **headers: str
) -> http.client.HTTPResponse:
    connection.request("GET", f"/v1{path}", headers={"Authorization": f"Bearer {demo.key}", **headers})
    return connection.getresponse()


def test_connection_is_kept_alive(demo: DemoServer) -> None:
    connection = _connect(demo)
    connection.connect()
    socket = connection.sock
    for _ in range(3):
        response = _get(connection, demo, "/organization/users")
        assert response.status == 200
        assert len(json.loads(response.read())["data"]) == 20
        assert connection.sock is socket
    connection.close()


def test_small_responses_are_compressed_on_request(demo: DemoServer) -> None:
    connection = _connect(demo)
    plain = _get(connection, demo, "/organization/users").read()
    response = _get(connection, demo, "/organization/users", **{"Accept-Encoding": "deflate, gzip"})
    assert response.getheader("Content-Encoding") == "gzip"
    packed = response.read()
    assert len(packed) < len(plain)
    assert gzip.decompress(packed) == plain
    connection.close()


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
def test_other_methods_than_get_are_refused(demo: DemoServer, method: str) -> None:
    connection = _connect(demo)
    connection.request(method, "/v1/organization/users", body=b"{}")
    response = connection.getresponse()
    assert response.status == 405
    assert json.loads(response.read())["error"]["code"] == "method_not_allowed"
    connection.close()


def test_path_outside_the_base_url_is_a_404(demo: DemoServer) -> None:
    connection = _connect(demo)
    connection.request("GET", "/organization/users", headers={"Authorization": f"Bearer {demo.key}"})
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["error"]["code"]) == (404, "unknown_url")
    connection.close()


def test_close_ends_idle_and_waiting_connections_at_once() -> None:
    with DemoServer(latency=30) as demo:
        idle, waiting = _connect(demo), _connect(demo)
        idle.connect()
        waiting.request("GET", "/v1/organization/users")
        while not demo.requests:
            time.sleep(0.005)
        begun = time.monotonic()
        demo.close()
        assert time.monotonic() - begun < 1 * slowdown()
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            waiting.getresponse()
        idle.close()
        waiting.close()
    assert not [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]


def test_port_in_use_is_an_error(demo: DemoServer) -> None:
    port = urlsplit(demo.base_url).port
    assert port is not None
    with pytest.raises(OSError, match="in use"), DemoServer(demo.organization, address=("127.0.0.1", port)):
        pass


def test_responses_have_one_date_header_from_the_servers_clock(demo: DemoServer) -> None:
    """A client that uses the date must get the time that the usage in the response ends at."""
    connection = _connect(demo)
    demo.clock = lambda: 1_795_437_245.0
    response = _get(connection, demo, "/organization/users")
    response.read()
    assert response.headers.get_all("Date") == ["Mon, 23 Nov 2026 12:34:05 GMT"]
    demo.faults = lambda request: Fault(headers={"Date": "Thu, 01 Jan 1970 00:00:00 GMT"})
    response = _get(connection, demo, "/organization/users")
    response.read()
    assert response.headers.get_all("Date") == ["Thu, 01 Jan 1970 00:00:00 GMT"]
    connection.close()
