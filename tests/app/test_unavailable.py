"""Checks which datasets a session reports as not available, and when it requests them again."""

import json
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from tests.rigs.sessions import NOW, fetch, open_store_session
from usage_viewer.app.fetch.api_source import ConnectionOptions
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.demo.api.access import NAMES_ONLY_KEY
from usage_viewer.demo.server.faults import Fault, Faults
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import ScopeMissing, UsageViewerError
from usage_viewer.domain.network_errors import NotFound, RequestRefused, ServerFailed
from usage_viewer.domain.view import ViewState
from usage_viewer.keystore import MemoryKeystore

WEEK = DateRange.days(date(2026, 10, 1), date(2026, 10, 7))
IMAGES = ViewState("images", WEEK, grouping=())
SCOPE = "You have insufficient permissions for this operation. Missing scopes: api.usage.read."


Open = Callable[[str], StoreSession]


@pytest.fixture
def open_with(server: DemoServer) -> Iterator[Open]:
    """Return a function that opens a session with a key and connects it with the server."""
    sessions: list[StoreSession] = []

    def open_session(key: str) -> StoreSession:
        parsed = AdminKey.parse(key)
        profile = Profile(
            "default",
            base_url=server.base_url,
            database=None,
            keystore=lambda: MemoryKeystore(parsed),
            clock=lambda: NOW,
            connection=ConnectionOptions(wait=lambda seconds: False),
        )
        session = open_store_session(profile)
        session.connect(profile.source(parsed))
        sessions.append(session)
        return session

    yield open_session
    for session in sessions:
        session.close()


def failing(dataset: str, status: int, message: str = "Not here.") -> Faults:
    """Return faults that answer every request for a dataset with an error."""
    body = json.dumps({"error": {"message": message}}).encode()
    path = DATASETS[dataset].path
    return lambda request: Fault(status=status, body=body) if request.path == path else None


@pytest.mark.parametrize(("status", "message", "kind"), [(404, "Not here.", NotFound), (403, "", RequestRefused)])
def test_only_the_failing_dataset_is_unavailable(
    server: DemoServer, open_with: Open, status: int, message: str, kind: type[UsageViewerError]
) -> None:
    session = open_with(server.key)
    server.faults = failing("images", status, message)
    with pytest.raises(kind):
        fetch(session, IMAGES)
    assert list(session.unavailable_datasets) == ["images"]
    assert isinstance(session.unavailable_datasets["images"], kind)
    fetch(session, IMAGES.with_dataset("embeddings"))
    assert session.look(IMAGES.with_dataset("embeddings")).coverage.complete
    session.forget_unavailable()
    assert session.unavailable_datasets == {}
    server.faults = None
    fetch(session, IMAGES)
    assert session.look(IMAGES).coverage.complete


def test_a_missing_scope_concerns_a_dataset_only_if_others_can_be_read(server: DemoServer, open_with: Open) -> None:
    session = open_with(server.key)
    server.faults = failing("images", 403, SCOPE)
    with pytest.raises(ScopeMissing):
        fetch(session, IMAGES)
    assert session.unavailable_datasets == {}
    fetch(session, IMAGES.with_dataset("embeddings"))
    with pytest.raises(ScopeMissing):
        fetch(session, IMAGES)
    assert list(session.unavailable_datasets) == ["images"]


def test_a_key_without_usage_scope_makes_no_dataset_unavailable(open_with: Open) -> None:
    session = open_with(NAMES_ONLY_KEY)
    for name in ("images", "completions"):
        with pytest.raises(ScopeMissing):
            fetch(session, IMAGES.with_dataset(name))
    assert session.unavailable_datasets == {}


def test_a_server_failure_makes_no_dataset_unavailable(server: DemoServer, open_with: Open) -> None:
    session = open_with(server.key)
    server.faults = lambda request: Fault(status=500)
    with pytest.raises(ServerFailed):
        fetch(session, IMAGES)
    assert session.unavailable_datasets == {}


def test_another_source_forgets_unavailable_datasets(server: DemoServer, open_with: Open) -> None:
    session = open_with(server.key)
    server.faults = failing("images", 404)
    with pytest.raises(NotFound):
        fetch(session, IMAGES)
    session.connect(None)
    assert session.unavailable_datasets == {}
