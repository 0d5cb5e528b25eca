"""`Bench`: a session over a real store, a real client and the stand-in server; what is asked, what is shown."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from usage_viewer.app.fetch.api_source import ApiSource
from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.app.session.session import Session, ViewResult
from usage_viewer.demo.server.faults import LoggedRequest
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.table import FigureColumn, GroupColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
DAY = 86400
DIMENSIONS = DATASETS["completions"].group_by
GONE = {"retry-after-ms": "1"}
"""Header of an error that is tried again at once."""


@dataclass
class Bench:
    """A session in front of a server, and the clock of both."""

    server: DemoServer
    path: Path | None = None
    now: float = NOW
    sessions: list[Session] = field(default_factory=list)

    def session(self, *, key: str | None = None, connected: bool = True, workers: int = 8) -> Session:
        session = Session(Store.open(self.path), clock=lambda: self.now, workers=workers)
        self.sessions.append(session)
        if connected:
            self.connect(session, key)
        return session

    def connect(self, session: Session, key: str | None = None) -> None:
        source = ApiSource(self.server.base_url, AdminKey.parse(key or self.server.key))
        session.connect(source, source)

    def asked(self) -> list[LoggedRequest]:
        """What the server was asked since the last look."""
        asked, self.server.requests = self.server.requests, []
        return asked

    def windows(self) -> list[tuple[str, str, int]]:
        """The windows asked for since the last look: first moment, end, buckets."""
        return sorted(
            (when(one("start_time", asked)), when(one("end_time", asked)), int(one("limit", asked)))
            for asked in self.asked()
        )


def one(name: str, asked: LoggedRequest) -> str:
    (value,) = asked.query[name]
    return value


def when(seconds: str) -> str:
    text = datetime.fromtimestamp(int(seconds), UTC).strftime("%m-%d %H:%M")
    return text.removesuffix(" 00:00")


@contextmanager
def refusing(organization: SyntheticOrganization, *dimensions: str) -> Iterator[Bench]:
    with DemoServer(organization, refused=dimensions, clock=lambda: NOW) as server:
        bench = Bench(server)
        yield bench
        for session in bench.sessions:
            session.close()


def days(first: str, last: str, **more: Any) -> ViewState:
    """The days from `first` to `last`, both included."""
    start, end = (datetime.fromisoformat(f"2026-{day}").date() for day in (first, last))
    return ViewState(range=DateRange.days(start, end), **more)


def fetch(session: Session, view: ViewState, *, refresh: bool = False) -> list[Progress]:
    return list(session.fetch(view, cancelled=threading.Event(), refresh=refresh))


def sums(look: ViewResult, metric: str = "input_tokens") -> dict[tuple[Any, ...], Any]:
    """The figure of each group, by raw values."""
    columns = [column for column in look.table.columns if isinstance(column, GroupColumn)]
    figures = look.table.by_name[metric]
    assert isinstance(figures, FigureColumn)
    keys = zip(*([column.values[code] for code in column.codes.tolist()] for column in columns), strict=True)
    return dict(zip(keys, figures.figures.listed(), strict=True))


def oracle(
    organization: SyntheticOrganization, view: ViewState, now: float = NOW, without: tuple[str, ...] = ()
) -> dict[tuple[Any, ...], Any]:
    """What `sums` must be, added up row by row."""
    span = view.range.resolve(int(now), UTC)
    found: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in organization.rows("completions", span.start, span.end, BucketWidth.DAY, int(now)):
        found[tuple(None if name in without else row[name] for name in view.grouping)] += row["input_tokens"]
    return dict(found)
