"""Datasets that an organization lacks: known as such while the source is the same, asked for again on request."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from tests.rigs.sessions import NOW
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.session import Session
from usage_viewer.demo.api.access import NAMES_ONLY_KEY
from usage_viewer.demo.server.faults import Fault, Faults
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import NotFound, RequestRefused, ScopeMissing, ServerFailed, UsageViewerError
from usage_viewer.domain.view import ViewState
from usage_viewer.keystore import MemoryKeystore

WEEK = DateRange.days(date(2026, 10, 1), date(2026, 10, 7))
IMAGES = ViewState("images", WEEK, grouping=())
SCOPE = "You have insufficient permissions for this operation. Missing scopes: api.usage.read."


@pytest.fixture(scope="module")
def organization() -> SyntheticOrganization:
    return SyntheticOrganization(anchor=NOW)


@pytest.fixture
def server(organization: SyntheticOrganization) -> Iterator[DemoServer]:
    with DemoServer(organization, clock=lambda: NOW) as running:
        yield running


Open = Callable[[str], Session]


@pytest.fixture
def opened(server: DemoServer) -> Iterator[Open]:
    """`opened(key)`: a session with the server as its source."""
    sessions: list[Session] = []

    def make(key: str) -> Session:
        parsed = AdminKey.parse(key)
        profile = Profile(
            "default",
            base_url=server.base_url,
            database=None,
            keystore=lambda: MemoryKeystore(parsed),
            clock=lambda: NOW,
            wait=lambda seconds: False,
        )
        session = profile.open_session()
        source = profile.source(parsed)
        session.connect(source, source)
        sessions.append(session)
        return session

    yield make
    for session in sessions:
        session.close()


def fetch(session: Session, view: ViewState) -> None:
    list(session.fetch(view, cancelled=threading.Event()))


def failing(dataset: str, status: int, message: str = "Not here.") -> Faults:
    body = json.dumps({"error": {"message": message}}).encode()
    path = DATASETS[dataset].path
    return lambda request: Fault(status=status, body=body) if request.path == path else None


@pytest.mark.parametrize(("status", "message", "kind"), [(404, "Not here.", NotFound), (403, "", RequestRefused)])
def test_one_is_remembered_and_no_other(
    server: DemoServer, opened: Open, status: int, message: str, kind: type[UsageViewerError]
) -> None:
    session = opened(server.key)
    server.faults = failing("images", status, message)
    with pytest.raises(kind):
        fetch(session, IMAGES)
    assert list(session.unavailable) == ["images"]
    assert isinstance(session.unavailable["images"], kind)
    fetch(session, IMAGES.with_dataset("embeddings"))
    assert session.look(IMAGES.with_dataset("embeddings")).coverage.complete
    session.forget_unavailable()
    assert session.unavailable == {}
    server.faults = None
    fetch(session, IMAGES)
    assert session.look(IMAGES).coverage.complete


def test_a_missing_scope_is_the_keys_unless_other_datasets_come(server: DemoServer, opened: Open) -> None:
    session = opened(server.key)
    server.faults = failing("images", 403, SCOPE)
    with pytest.raises(ScopeMissing):
        fetch(session, IMAGES)
    assert session.unavailable == {}
    fetch(session, IMAGES.with_dataset("embeddings"))
    with pytest.raises(ScopeMissing):
        fetch(session, IMAGES)
    assert list(session.unavailable) == ["images"]


def test_a_key_that_can_read_no_usage_greys_nothing(opened: Open) -> None:
    session = opened(NAMES_ONLY_KEY)
    for name in ("images", "completions"):
        with pytest.raises(ScopeMissing):
            fetch(session, IMAGES.with_dataset(name))
    assert session.unavailable == {}


def test_what_passes_is_no_reason(server: DemoServer, opened: Open) -> None:
    session = opened(server.key)
    server.faults = lambda request: Fault(status=500)
    with pytest.raises(ServerFailed):
        fetch(session, IMAGES)
    assert session.unavailable == {}


def test_another_source_is_asked_anew(server: DemoServer, opened: Open) -> None:
    session = opened(server.key)
    server.faults = failing("images", 404)
    with pytest.raises(NotFound):
        fetch(session, IMAGES)
    session.connect(None)
    assert session.unavailable == {}
