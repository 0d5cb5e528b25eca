"""Provides servers that record each header of each request, to see where a key is sent."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

from tests.faults.connect_proxy import ConnectProxy
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.demo.server.server import DemoServer


@dataclass
class WatchedServer:
    """Refuses each request with 401, and records the headers in `headers` as one text."""

    server: DemoServer
    headers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server.faults = self._record

    @property
    def base_url(self) -> str:
        """Return the base URL, which ends in /v1."""
        return self.server.base_url

    @property
    def origin(self) -> str:
        """Return the base URL without its path."""
        return self.base_url.removesuffix("/v1")

    def saw(self, secret: str) -> bool:
        """Return whether any header of any request contained `secret`."""
        return any(secret in text for text in self.headers)

    def _record(self, request: Request) -> Fault:
        self.headers.append("\n".join(f"{name}: {value}" for name, value in request.headers.items()))
        return Fault(status=401)


@dataclass
class Watch:
    """Holds two servers on loopback, and the proxy on the way to OpenAI's server, which refuses to connect."""

    a: WatchedServer
    b: WatchedServer
    vendor: ConnectProxy

    def clear(self) -> None:
        """Forget all recorded requests."""
        self.a.headers.clear()
        self.b.headers.clear()
        self.vendor.heads.clear()

    def receivers(self, secret: str) -> set[str]:
        """Return which of the servers `a` and `b` received `secret`."""
        return {name for name, one in (("a", self.a), ("b", self.b)) if one.saw(secret)}

    @property
    def asked(self) -> set[str]:
        """Return which servers were asked, with or without a key: `a`, `b`, `vendor`."""
        servers = {"a": self.a.headers, "b": self.b.headers, "vendor": self.vendor.heads}
        return {name for name, requests in servers.items() if requests}


@contextmanager
def watched_servers() -> Iterator[Watch]:
    """Run the servers; give the proxy's address to the program as `HTTPS_PROXY`."""
    with ExitStack() as running:
        a, b = (WatchedServer(running.enter_context(DemoServer())) for _ in range(2))
        yield Watch(a, b, running.enter_context(closing(ConnectProxy(0, "403 Forbidden"))))
