"""A profile opens its keystore, database and server connection only when they are needed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.rigs.sample_organization import sample_organization
from tests.rigs.sessions import open_store_session
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.profile.profile import Profile
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyRefused, StoreDamaged, StoreNotWritable
from usage_viewer.domain.view import ViewState
from usage_viewer.keystore import Keystore, MemoryKeystore

NOW = 1_795_170_600
"""2026-11-20 10:30 UTC."""


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(sample_organization(NOW), clock=lambda: NOW) as running:
        yield running


def profile_of(server: DemoServer, database: Path | None) -> Profile:
    return Profile(
        "default",
        base_url=server.base_url,
        database=database,
        keystore=lambda: MemoryKeystore(AdminKey.parse(server.key)),
        clock=lambda: NOW,
    )


def test_nothing_is_opened_until_it_is_needed(tmp_path: Path) -> None:
    def fail() -> Keystore:
        raise AssertionError

    place = ProfilePaths(tmp_path / "data")
    Profile(place.profile, base_url="nowhere", database=place.database, keystore=fail)
    assert list(tmp_path.iterdir()) == []


def test_keystore_is_created_once_for_all_threads() -> None:
    created: list[Keystore] = []

    def make() -> Keystore:
        created.append(MemoryKeystore())
        return created[-1]

    profile = Profile("default", base_url="", database=None, keystore=make)
    with ThreadPoolExecutor(8) as pool:
        keystores = list(pool.map(lambda _: profile.keystore, range(32)))
    assert len(created) == 1
    assert all(keystore is created[0] for keystore in keystores)


def test_session_stores_usage_in_the_profile_database(server: DemoServer, tmp_path: Path) -> None:
    place = ProfilePaths(tmp_path)
    profile = profile_of(server, place.database)
    view = ViewState()
    session = open_store_session(profile)
    assert session.now == NOW
    key = profile.keystore.load()
    assert key is not None
    session.connect(profile.source(key))
    list(session.fetch(view))
    figures = session.look(view).table.figures[0].figures.listed()
    session.close()
    assert place.database.exists()
    again = profile_of(server, place.database).open_session()
    assert again.look(view).table.figures[0].figures.listed() == figures
    again.close()


def test_profile_without_a_database_leaves_no_file(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    profile = profile_of(server, None)
    session = open_store_session(profile)
    session.connect(profile.source(AdminKey.parse(server.key)))
    list(session.fetch(ViewState()))
    assert not session.empty
    session.close()
    profile.start_over()
    assert list(tmp_path.iterdir()) == []


def test_damaged_database_is_kept_as_a_copy(server: DemoServer, tmp_path: Path) -> None:
    place = ProfilePaths(tmp_path)
    place.directory.mkdir(parents=True)
    place.database.write_bytes(b"not a database at all" * 1000)
    profile = profile_of(server, place.database)
    with pytest.raises(StoreDamaged):
        profile.open_session()
    profile.start_over()
    session = profile.open_session()
    assert session.empty
    session.close()
    aside = [path for path in place.directory.iterdir() if "damaged" in path.name]
    assert [path.read_bytes()[:21] for path in aside] == [b"not a database at all"]


def test_data_directory_that_is_a_file_raises_an_error(server: DemoServer, tmp_path: Path) -> None:
    (tmp_path / "profiles").write_text("in the way")
    with pytest.raises(StoreNotWritable):
        profile_of(server, ProfilePaths(tmp_path).database).open_session()


def test_check_key_asks_the_server(server: DemoServer) -> None:
    profile = profile_of(server, None)
    profile.check_key(AdminKey.parse(server.key))
    with pytest.raises(KeyRefused):
        profile.check_key(AdminKey.parse("sk-admin-of-somebody-else-entirely-0000"))
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("wrong", "note"),
    [
        (0, ""),
        (500, ""),
        (700, "This computer's clock is 12 minutes behind; the server's time is used"),
        (-3 * 3600, "This computer's clock is 3 hours ahead; the server's time is used"),
        (-40 * 3600, "This computer's clock is 40 hours ahead; the server's time is used"),
        (30 * 86400, "This computer's clock is 30 days behind; the server's time is used"),
    ],
)
def test_wrong_clock_is_corrected_by_the_server(server: DemoServer, wrong: int, note: str) -> None:
    profile = profile_of(server, None)
    session = open_store_session(profile)
    server.clock = lambda: NOW + wrong
    assert profile.clock_note == ""
    profile.check_key(AdminKey.parse(server.key))
    assert profile.clock_note == "", "only an answer about usage corrects the clock"
    session.connect(profile.source(AdminKey.parse(server.key)))
    list(session.fetch(ViewState()))
    assert profile.clock_note == note
    assert session.now == pytest.approx(NOW + (wrong if note else 0), abs=1)
    session.close()
