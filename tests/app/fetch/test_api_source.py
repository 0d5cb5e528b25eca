"""Checks the API source: one late client, shared by threads, closed and used again."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest

from tests.rigs.sample_organization import sample_organization
from usage_viewer.app.fetch.api_source import ApiSource
from usage_viewer.demo.api.access import NAMES_ONLY_KEY
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.demo.server.faults import Fault
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import Cancelled, InputError, ScopeMissing
from usage_viewer.domain.network_errors import ConnectionFailed
from usage_viewer.domain.period import BucketRun, BucketWidth

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
COMPLETIONS = DATASETS["completions"]
LAST_WEEK = BucketRun(BucketWidth.DAY, NOW // 86400 * 86400 - 7 * 86400, NOW // 86400 * 86400)


@pytest.fixture
def server() -> Iterator[DemoServer]:
    """Run the stand-in server."""
    with DemoServer(sample_organization(NOW), clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def source(server: DemoServer) -> Iterator[ApiSource]:
    """Return a source of the server."""
    source = ApiSource(server.base_url, AdminKey.parse(server.key))
    yield source
    source.close()


def fetch_week(source: ApiSource, notices: list[str] | None = None) -> list[Batch]:
    """Fetch LAST_WEEK and append the notices to `notices`."""
    on_notice = (notices if notices is not None else []).append
    return list(source.fetch(COMPLETIONS, LAST_WEEK, ("model",), cancellation=Cancellation(), on_notice=on_notice))


def test_threads_share_one_source(source: ApiSource) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: fetch_week(source), range(12)))
    assert len({len(batch) for batches in answers for batch in batches}) == 1
    assert all(len(batches[0].starts) == 7 for batches in answers)


def test_a_retry_is_reported(source: ApiSource, server: DemoServer) -> None:
    server.faults = lambda request: (
        Fault(status=429, headers={"retry-after-ms": "5"}) if not request.number else None
    )
    notices: list[str] = []
    assert len(fetch_week(source, notices)) == 1
    assert notices == ["Rate limited; retrying in 1 s"]


def test_refusal_of_a_grouping_is_returned(server: DemoServer, source: ApiSource) -> None:
    grouped, stop = COMPLETIONS.group_by, Cancellation()
    assert source.refusal(COMPLETIONS, LAST_WEEK, grouped, cancellation=stop) is None
    with DemoServer(server.organization, refused=RefusedGroupings.of("batch")) as other:
        other_source = ApiSource(other.base_url, AdminKey.parse(other.key))
        refusal = other_source.refusal(COMPLETIONS, LAST_WEEK, grouped, cancellation=stop)
        other_source.close()
    assert refusal is not None
    assert refusal.param == "group_by[4]"


def test_names_are_marked_as_seen_at_the_given_time(source: ApiSource) -> None:
    names = [name for names in source.names(12345, {}, cancellation=Cancellation()) for name in names]
    assert {name.kind for name in names} == {"project", "user", "api_key"}
    assert {name.seen for name in names} == {12345}


def test_a_key_is_checked_with_one_request(source: ApiSource, server: DemoServer) -> None:
    source.check_key(NOW)
    assert len(server.requests) == 1
    without_scope = ApiSource(server.base_url, AdminKey.parse(NAMES_ONLY_KEY))
    with closing(without_scope), pytest.raises(ScopeMissing):
        without_scope.check_key(NOW)


def test_a_closed_source_can_be_used_again(source: ApiSource) -> None:
    source.close()  # no client was created yet
    fetch_week(source)
    source.close()
    source.close()
    assert len(fetch_week(source)) == 1


def test_a_cancelled_fetch_raises_cancelled(source: ApiSource) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        list(source.fetch(COMPLETIONS, LAST_WEEK, (), cancellation=cancellation, on_notice=print))


def test_a_server_that_drops_connections(source: ApiSource, server: DemoServer) -> None:
    fetch_week(source)
    server.faults = lambda request: Fault(drop=True)
    notices: list[str] = []
    cancellation = Cancellation()

    def stop(notice: str) -> None:
        notices.append(notice)
        cancellation.cancel()

    with pytest.raises((ConnectionFailed, Cancelled)):
        list(source.fetch(COMPLETIONS, LAST_WEEK, (), cancellation=cancellation, on_notice=stop))
    assert notices[0].startswith("Connection failed; retrying in ")


def test_an_invalid_address_is_reported_by_the_first_request() -> None:
    source = ApiSource("http://example.org/v1", AdminKey.parse("sk-admin-never-sent-anywhere-000000"))
    with pytest.raises(InputError):
        source.check_key(NOW)


def test_network_code_is_imported_late() -> None:
    """Importing it takes longer than painting the first window."""
    code = (
        "import sys; from usage_viewer.app.fetch.api_source import ApiSource; "
        "from usage_viewer.app.profile.profile import Profile; "
        "from usage_viewer.domain.admin_key import AdminKey; "
        "ApiSource('https://example.org/v1', AdminKey.parse('sk-admin-000')).close(); "
        "print([name for name in ('httpx', 'duckdb', 'keyring') if name in sys.modules])"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout == "[]\n"
