"""Provides sessions over a real store, a real client and the stand-in server, with expected sums."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from usage_viewer.app.fetch.api_source import ApiSource
from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.session.session import Session
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.demo.server.faults import LoggedRequest
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.table import FigureColumn, GroupColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
DAY = 86400
DIMENSIONS = DATASETS["completions"].group_by
RETRY_AT_ONCE = {"retry-after-ms": "1"}
"""Header of an error response after which the client repeats the request at once."""


@dataclass
class SessionRig:
    """A server, the sessions that use it, and the clock of both (epoch seconds)."""

    server: DemoServer
    path: Path | None = None
    now: float = NOW
    sessions: list[StoreSession] = field(default_factory=list)

    def session(self, *, key: str | None = None, connected: bool = True, workers: int = 8) -> StoreSession:
        """Open a session over the file `path`, or over a store in memory."""
        session = StoreSession(Store.open(self.path), clock=lambda: self.now, workers=workers)
        self.sessions.append(session)
        if connected:
            self.connect(session, key)
        return session

    def connect(self, session: StoreSession, key: str | None = None) -> None:
        """Connect a session with this server, with the server's key by default."""
        session.connect(ApiSource(self.server.base_url, AdminKey.parse(key or self.server.key)))

    def take_requests(self) -> list[LoggedRequest]:
        """Return the server's requests since the last call."""
        requests, self.server.requests = self.server.requests, []
        return requests

    def take_windows(self) -> list[tuple[str, str, int]]:
        """Return start, end and number of buckets of each request since the last call."""
        return sorted(
            (
                moment_text(single("start_time", request)),
                moment_text(single("end_time", request)),
                int(single("limit", request)),
            )
            for request in self.take_requests()
        )


def single(name: str, request: LoggedRequest) -> str:
    """Return the only value of a query parameter."""
    (value,) = request.query[name]
    return value


def moment_text(seconds: str) -> str:
    """Format epoch seconds as "10-31" or "10-31 06:00" in UTC."""
    text = datetime.fromtimestamp(int(seconds), UTC).strftime("%m-%d %H:%M")
    return text.removesuffix(" 00:00")


def open_store_session(profile: Profile) -> StoreSession:
    """Open the session of a profile of one organization or snapshot."""
    session = profile.open_session().store_session
    assert session is not None
    return session


@contextmanager
def refusing(organization: SyntheticOrganization, *dimensions: str) -> Iterator[SessionRig]:
    """Run a server that refuses to group by `dimensions`."""
    with DemoServer(organization, refused=RefusedGroupings.of(*dimensions), clock=lambda: NOW) as server:
        rig = SessionRig(server)
        yield rig
        for session in rig.sessions:
            session.close()


def days(first: str, last: str, **fields: Any) -> ViewState:
    """Return a view of the days from `first` to `last` ("10-31"), both included."""
    start, end = (datetime.fromisoformat(f"2026-{day}").date() for day in (first, last))
    return ViewState(range=DateRange.days(start, end), **fields)


def fetch(session: Session, view: ViewState, *, refresh: Refresh = Refresh.NEEDED) -> list[Progress]:
    """Fetch a view to the end and return every step."""
    return list(session.fetch(view, refresh=refresh))


def sums(result: ViewResult, metric: str = "input_tokens") -> dict[tuple[Any, ...], Any]:
    """Return the figure of each group, by raw values."""
    columns = [column for column in result.table.columns if isinstance(column, GroupColumn)]
    figures = result.table.by_name[metric]
    assert isinstance(figures, FigureColumn)
    keys = zip(*([column.values[code] for code in column.codes.tolist()] for column in columns), strict=True)
    return dict(zip(keys, figures.figures.listed(), strict=True))


def expected_sums(
    organization: SyntheticOrganization, view: ViewState, now: float = NOW, without: tuple[str, ...] = ()
) -> dict[tuple[Any, ...], Any]:
    """Return what `sums` must return, added row by row. Dimensions in `without` count as null."""
    span = view.range.resolve(int(now), UTC)
    totals: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in organization.rows("completions", span.start, span.end, BucketWidth.DAY, int(now)):
        totals[tuple(None if name in without else row[name] for name in view.grouping)] += row["input_tokens"]
    return dict(totals)


@pytest.fixture(name="rig")
def rig_with_file(server: DemoServer, tmp_path: Path) -> Iterator[SessionRig]:
    """Return a server and the sessions over one file, which only one of them may have open."""
    rig = SessionRig(server, tmp_path / "usage.duckdb")
    yield rig
    for session in rig.sessions:
        session.close()
