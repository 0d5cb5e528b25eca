"""Tests what a stored key is bound to: profile, server and data directory."""

from pathlib import Path

import pytest

from tests.keystore.test_os_keyring import MemoryKeyring
from tests.rigs.keys import key_scope
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyForAnotherServer
from usage_viewer.keystore import SERVICE, VENDOR_SERVER, KeyScope, OsKeyring, UnboundEntry

FIRST = AdminKey.parse("sk-admin-first-Zq7mW2xV9tLr4KpN8sHd3GfB6yTc")
SECOND = AdminKey.parse("sk-admin-second-Hd3GfB6yTcZq7mW2xV9tLr4KpN8s")
ELSEWHERE = "https://elsewhere.example:8443/v1"


@pytest.fixture
def ring() -> MemoryKeyring:
    return MemoryKeyring()


def test_key_of_another_server_is_refused_until_the_user_agrees(ring: MemoryKeyring) -> None:
    OsKeyring(key_scope(), backend=ring).save(FIRST)
    elsewhere = OsKeyring(key_scope(server=ELSEWHERE), backend=ring)
    with pytest.raises(KeyForAnotherServer) as caught:
        elsewhere.load()
    assert (caught.value.given_for, caught.value.server) == (VENDOR_SERVER, "https://elsewhere.example:8443")
    assert VENDOR_SERVER in caught.value.hint
    assert "https://elsewhere.example:8443" in caught.value.hint
    assert elsewhere.reuse() == FIRST
    assert elsewhere.load() == FIRST
    elsewhere.save(SECOND)
    assert OsKeyring(key_scope(), backend=ring).load() == FIRST, "each server keeps its own key"


def test_path_of_the_base_url_and_default_port_make_no_difference(ring: MemoryKeyring) -> None:
    OsKeyring(key_scope(server="https://API.openai.com/v1"), backend=ring).save(FIRST)
    assert OsKeyring(key_scope(server="https://api.openai.com:443/other"), backend=ring).load() == FIRST


@pytest.mark.parametrize(
    "other",
    [key_scope("other"), key_scope(data_dir=Path("/elsewhere")), key_scope("other", data_dir=Path("/elsewhere"))],
)
def test_other_profiles_and_data_directories_have_no_key(ring: MemoryKeyring, other: KeyScope) -> None:
    OsKeyring(key_scope(), backend=ring).save(FIRST)
    assert OsKeyring(other, backend=ring).load() is None
    OsKeyring(other, backend=ring).forget()
    assert OsKeyring(key_scope(), backend=ring).load() == FIRST


def test_directory_is_the_same_by_another_path(ring: MemoryKeyring, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to("data")
    OsKeyring(key_scope(data_dir=tmp_path / "data"), backend=ring).save(FIRST)
    assert OsKeyring(key_scope(data_dir=tmp_path / "link"), backend=ring).load() == FIRST


def test_forgetting_removes_the_keys_for_all_servers(ring: MemoryKeyring) -> None:
    OsKeyring(key_scope(), backend=ring).save(FIRST)
    OsKeyring(key_scope(server=ELSEWHERE), backend=ring).save(SECOND)
    OsKeyring(key_scope(), backend=ring).forget()
    assert ring.entries == {}


OLD = (SERVICE, "default")
ADOPTED = UnboundEntry(adopted=True, removed=True)
RECORDED = UnboundEntry("https://elsewhere.example:8443", adopted=True, removed=True)


def test_entry_of_an_older_version_is_moved_to_its_server(ring: MemoryKeyring) -> None:
    ring.entries[OLD] = FIRST.reveal()
    scope = key_scope(unbound=ADOPTED)
    assert OsKeyring(scope, backend=ring).load() == FIRST
    assert set(ring.entries) == {(SERVICE, scope.entry(VENDOR_SERVER)), (SERVICE, scope.server_list)}
    assert OsKeyring(scope, backend=ring).load() == FIRST


def test_entry_of_an_older_version_is_never_moved_to_another_server(ring: MemoryKeyring) -> None:
    ring.entries[OLD] = FIRST.reveal()
    for scope in (
        key_scope(server=ELSEWHERE, unbound=ADOPTED),
        key_scope(unbound=RECORDED),
        key_scope(server=ELSEWHERE),
        key_scope(),
    ):
        with pytest.raises(KeyForAnotherServer):
            OsKeyring(scope, backend=ring).load()
        assert ring.entries == {OLD: FIRST.reveal()}
    assert OsKeyring(key_scope(server=ELSEWHERE, unbound=RECORDED), backend=ring).load() == FIRST


def test_agreed_reuse_in_another_directory_leaves_the_old_entry_to_its_owner(ring: MemoryKeyring) -> None:
    ring.entries[OLD] = FIRST.reveal()
    assert OsKeyring(key_scope(), backend=ring).reuse() == FIRST
    assert OsKeyring(key_scope(), backend=ring).load() == FIRST
    assert OLD in ring.entries
    alone = key_scope(data_dir=Path("/alone"), unbound=UnboundEntry(removed=True))
    assert OsKeyring(alone, backend=ring).reuse() == FIRST
    assert OLD not in ring.entries


def test_forgetting_and_saving_remove_the_entry_of_an_older_version(ring: MemoryKeyring) -> None:
    ring.entries[OLD] = FIRST.reveal()
    OsKeyring(key_scope(), backend=ring).forget()
    assert OLD in ring.entries, "it may belong to another data directory"
    OsKeyring(key_scope(unbound=ADOPTED), backend=ring).save(SECOND)
    assert OLD not in ring.entries
    ring.entries[OLD] = FIRST.reveal()
    OsKeyring(key_scope(unbound=ADOPTED), backend=ring).forget()
    assert ring.entries == {}
