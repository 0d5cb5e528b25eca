"""The demo server: the API of the synthetic organization over HTTP on this computer."""

import json
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.api.limits import Limits
from usage_viewer.demo.api.refusal import NOTHING_REFUSED, Refusal, RefusedGroupings
from usage_viewer.demo.api.service import Service
from usage_viewer.demo.server.faults import Fault, Faults, LoggedRequest, Request
from usage_viewer.demo.server.listener import Listener, Reply
from usage_viewer.demo.world.organization import SyntheticOrganization

PREFIX: Final = "/v1"
_NO_FAULT: Final = Fault()


class DemoServer:
    """Serves `organization` while it is open as a context manager.

    `address` is host and port (0: any free port). `base_url` ends with /v1; `key` may read everything.
    `requests` is the log. `latency` is a wait in seconds before each response. `refused` groupings get HTTP 400,
    and `limits` says which requests fail and how often lists may be read. `clock` returns epoch seconds. `latency`,
    `faults`, `clock` and `requests` may be changed while it runs.
    """

    def __init__(
        self,
        organization: SyntheticOrganization | None = None,
        *,
        address: tuple[str, int] = ("127.0.0.1", 0),
        key: str = ADMIN_KEY,
        latency: float = 0.0,
        refused: RefusedGroupings = NOTHING_REFUSED,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self.latency = latency
        self.faults: Faults | None = None
        self.requests: list[LoggedRequest] = []
        self.organization = organization or SyntheticOrganization(anchor=int(clock()))
        self.key = key
        self._service = Service(self.organization, key=key, refused=refused, limits=limits)
        self._host, self._port = address
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """The base URL. Raises RuntimeError before the server is open."""
        if self._listener is None:
            raise RuntimeError("the demo server is not open")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._listener.server_port}{PREFIX}"

    @property
    def refused(self) -> RefusedGroupings:
        """The groupings that get HTTP 400; may be replaced while the server runs."""
        return self._service.refused

    @refused.setter
    def refused(self, refused: RefusedGroupings) -> None:
        self._service.refused = refused

    @property
    def limits(self) -> Limits:
        """Which requests fail, and how often lists may be read; may be changed while the server runs."""
        return self._service.limits

    def __enter__(self) -> Self:
        self._listener = Listener(self._host, self._port, self._respond, lambda: self.clock())
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server at once, also in the middle of a response. May be called again."""
        if self._listener is not None and self._thread is not None:
            self._listener.close()
            self._thread.join()
            self._thread = None

    def _respond(self, request: Request) -> Reply:
        path = request.path.removeprefix(PREFIX)
        self.requests.append(LoggedRequest(path, {name: list(values) for name, values in request.query.items()}))
        relative = Request(request.number, path, request.query, request.headers)
        fault = (self.faults(relative) if self.faults else None) or _NO_FAULT
        if not request.path.startswith(f"{PREFIX}/"):
            refusal = Refusal(404, f"Invalid URL (GET {request.path})", code="unknown_url")
            status, body = refusal.status, refusal.body
        elif fault.drop or fault.body is not None:
            status, body = 200, fault.body or b""
        else:
            status, body = self._service.respond(path, request.query, request.headers, int(self.clock()))
        if fault.edit is not None:
            body = json.dumps(fault.edit(json.loads(body))).encode()
        return Reply(
            status if fault.status is None else fault.status,
            body,
            fault.headers,
            self.latency + fault.stall,
            fault.stall_body,
            fault.drop,
            fault.truncate,
        )
