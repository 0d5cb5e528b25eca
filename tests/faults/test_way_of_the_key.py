"""Checks where the key is sent: to the configured host only, through a tunnel if there is a proxy."""

import base64
from collections.abc import Iterator

import pytest

from tests.faults.certificates import Authority
from tests.faults.conftest import HOST, FaultRig, honest_tokens
from tests.faults.connect_proxy import ConnectProxy
from tests.faults.misbehaviours import says
from tests.faults.usage_wire import KEY
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.network_errors import ProxyFailed, TlsFailed

ADMIN = AdminKey.parse(KEY)
BEARER = f"Bearer {KEY}"


@pytest.fixture
def https(rig: FaultRig) -> FaultRig:
    """The rig, with a server that has a name and a valid certificate."""
    rig.server.context = rig.authority.context(HOST)
    rig.server.listen()
    return rig


TO_HTTP = "http://127.0.0.1:{port}/v1/organization/usage/completions"


@pytest.mark.parametrize(
    ("status", "place"),
    [
        *((status, TO_HTTP) for status in ("300 Choose", "301 Moved", "302 Found", "303 See", "307 No", "308 No")),
        ("302 Found", "//127.0.0.1:{port}/v1"),
        ("307 No", f"https://{HOST}:{{port}}/v1"),  # another port is another server
        ("301 Moved", "https://evil.example/v1"),
    ],
)
def test_no_redirect_is_followed(https: FaultRig, status: str, place: str) -> None:
    to = place.format(port=https.elsewhere.port)
    https.server.behave = says(status, Location=to)
    printed = https.table()
    assert printed.status == 3
    assert "redirects to another address" in printed.err
    assert https.elsewhere.requests == []
    assert not https.elsewhere.received
    assert all(request.headers["host"] == f"{HOST}:{https.server.port}" for request in https.server.requests)
    assert KEY not in printed.err


def test_cursor_is_sent_to_the_same_host(https: FaultRig) -> None:
    """The cursor of a page is sent to the configured host."""
    https.server.behave = None
    assert https.table().tokens == honest_tokens()
    assert {request.headers["host"] for request in https.server.requests} == {f"{HOST}:{https.server.port}"}


@pytest.fixture
def proxy(https: FaultRig) -> Iterator[ConnectProxy]:
    proxy = ConnectProxy(https.server.port)
    https.lose_the_name()  # only the proxy finds the server
    yield proxy
    proxy.close()


def passed_through(rig: FaultRig, proxy: ConnectProxy) -> None:
    printed = rig.table()
    assert printed.status == 0
    assert printed.tokens == honest_tokens()
    assert proxy.heads
    assert all(head.startswith(f"CONNECT {HOST}:{rig.server.port} HTTP/1.1\r\n") for head in proxy.heads)
    # Neither the request to the proxy nor the encrypted bytes in the tunnel contain the key.
    heads = "".join(proxy.heads)
    assert KEY not in heads
    assert "bearer" not in heads.lower()
    assert KEY.encode() not in proxy.carried
    assert b"/organization/" not in proxy.carried
    assert {request.headers["authorization"] for request in rig.server.requests} == {BEARER}
    assert not any("proxy-authorization" in request.headers for request in rig.server.requests)


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("form", ["http://{}", "{}"])
def test_proxy_of_environment_is_used_as_tunnel(
    https: FaultRig, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch, name: str, form: str
) -> None:
    monkeypatch.setenv(name, form.format(proxy.address))
    passed_through(https, proxy)


def test_proxy_password_is_sent_to_proxy_only(
    https: FaultRig, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://me:secret-word@{proxy.address}")
    passed_through(https, proxy)
    expected = base64.b64encode(b"me:secret-word").decode()
    assert all(f"Proxy-Authorization: Basic {expected}" in head for head in proxy.heads)


def test_no_proxy_hosts_are_contacted_directly(
    https: FaultRig, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", proxy.address)
    monkeypatch.setenv("no_proxy", f"other.example,{HOST}")
    https.find_the_name()
    assert https.table().status == 0
    assert proxy.heads == []


def test_http_proxy_is_not_used_for_https(
    https: FaultRig, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.address)
    https.find_the_name()
    assert https.table().status == 0
    assert proxy.heads == []


def test_loopback_is_never_contacted_through_a_proxy(rig: FaultRig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.server.listen()
    proxy = ConnectProxy(rig.server.port)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.address)
    assert rig.table().status == 0
    assert proxy.heads == []
    proxy.close()


def test_intercepting_proxy_needs_a_trusted_certificate(
    https: FaultRig, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    """Companies that inspect traffic run such proxies."""
    monkeypatch.setenv("https_proxy", proxy.address)
    https.elsewhere.context = authority.context(HOST, self_signed=True)
    proxy.port = https.elsewhere.port
    with pytest.raises(TlsFailed):
        https.profile().check_key(ADMIN)
    assert https.elsewhere.requests == []
    https.elsewhere.context = authority.context(HOST)
    https.profile().check_key(ADMIN)
    assert [request.headers["authorization"] for request in https.elsewhere.requests] == [BEARER]


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
def test_refusing_proxy_is_reported(
    https: FaultRig, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setenv("https_proxy", proxy.address)
    proxy.status = status
    with pytest.raises(ProxyFailed) as caught:
        https.profile().check_key(ADMIN)
    assert "HTTPS_PROXY" in caught.value.hint
    assert len(proxy.heads) == 1
    assert KEY not in proxy.heads[0]
    assert https.server.requests == []
