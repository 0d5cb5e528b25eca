"""The API as a session sees it: one client, made late, shared by threads, closed and made again."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest

from usage_viewer.app.fetch.api_source import ApiSource
from usage_viewer.demo.api.access import NAMES_ONLY_KEY
from usage_viewer.demo.server.faults import Fault
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import Cancelled, ConnectionFailed, InputError, ScopeMissing
from usage_viewer.domain.period import BucketRun, BucketWidth

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
COMPLETIONS = DATASETS["completions"]
LAST_WEEK = BucketRun(BucketWidth.DAY, NOW // 86400 * 86400 - 7 * 86400, NOW // 86400 * 86400)


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(SyntheticOrganization(anchor=NOW), clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def source(server: DemoServer) -> Iterator[ApiSource]:
    source = ApiSource(server.base_url, AdminKey.parse(server.key))
    yield source
    source.close()


def week(source: ApiSource, notices: list[str] | None = None) -> list[Batch]:
    said = (notices if notices is not None else []).append
    return list(source.fetch(COMPLETIONS, LAST_WEEK, ("model",), cancelled=threading.Event(), on_notice=said))


def test_fetches_from_any_thread(source: ApiSource) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: week(source), range(12)))
    assert len({len(batch) for batches in answers for batch in batches}) == 1
    assert all(len(batches[0].starts) == 7 for batches in answers)


def test_says_when_it_tries_again(source: ApiSource, server: DemoServer) -> None:
    server.faults = lambda request: (
        Fault(status=429, headers={"retry-after-ms": "5"}) if not request.number else None
    )
    notices: list[str] = []
    assert len(week(source, notices)) == 1
    assert notices == ["Rate limited; retrying in 1 s"]


def test_which_dimensions_are_accepted(server: DemoServer, source: ApiSource) -> None:
    assert source.accepted_dimensions(COMPLETIONS, LAST_WEEK, cancelled=threading.Event()) == COMPLETIONS.group_by
    with DemoServer(server.organization, refused=("batch",)) as other:
        elsewhere = ApiSource(other.base_url, AdminKey.parse(other.key))
        accepted = elsewhere.accepted_dimensions(COMPLETIONS, LAST_WEEK, cancelled=threading.Event())
        elsewhere.close()
    assert set(COMPLETIONS.group_by) - set(accepted) == {"batch"}


def test_names_are_seen_at_the_moment_given(source: ApiSource) -> None:
    names = [name for names in source.names(12345, cancelled=threading.Event()) for name in names]
    assert {name.kind for name in names} == {"project", "user", "api_key"}
    assert {name.seen for name in names} == {12345}


def test_the_key_is_checked_with_one_call(source: ApiSource, server: DemoServer) -> None:
    source.check_key(NOW)
    assert len(server.requests) == 1
    lacking = ApiSource(server.base_url, AdminKey.parse(NAMES_ONLY_KEY))
    with closing(lacking), pytest.raises(ScopeMissing):
        lacking.check_key(NOW)


def test_a_closed_one_can_be_used_again(source: ApiSource) -> None:
    source.close()  # nothing was opened yet
    week(source)
    source.close()
    source.close()
    assert len(week(source)) == 1


def test_stops_when_cancelled(source: ApiSource) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        list(source.fetch(COMPLETIONS, LAST_WEEK, (), cancelled=cancelled, on_notice=print))


def test_a_server_that_is_gone(source: ApiSource, server: DemoServer) -> None:
    week(source)
    server.faults = lambda request: Fault(drop=True)
    notices: list[str] = []
    cancelled = threading.Event()

    def stop(notice: str) -> None:
        notices.append(notice)
        cancelled.set()

    with pytest.raises((ConnectionFailed, Cancelled)):
        list(source.fetch(COMPLETIONS, LAST_WEEK, (), cancelled=cancelled, on_notice=stop))
    assert notices[0].startswith("Connection failed; retrying in ")


def test_an_address_that_cant_be_used_is_told_when_it_is_used() -> None:
    source = ApiSource("http://example.org/v1", AdminKey.parse("sk-admin-never-sent-anywhere-000000"))
    with pytest.raises(InputError):
        source.check_key(NOW)


def test_the_network_part_is_imported_late() -> None:
    """It takes longer than painting the first window."""
    code = (
        "import sys; from usage_viewer.app.fetch.api_source import ApiSource; "
        "from usage_viewer.app.profile.profile import Profile; "
        "from usage_viewer.domain.admin_key import AdminKey; "
        "ApiSource('https://example.org/v1', AdminKey.parse('sk-admin-000')).close(); "
        "print([name for name in ('httpx', 'duckdb', 'keyring') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
