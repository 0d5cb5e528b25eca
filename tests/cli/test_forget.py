"""`usage-viewer forget` asks first, deletes only what it names, and reports the result."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.keys import key_scope
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings import settings
from usage_viewer.app.settings.settings import Settings
from usage_viewer.cli.arguments import build_parser
from usage_viewer.cli.forget import run_forget
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyringLocked
from usage_viewer.keystore import Keystore, MemoryKeystore
from usage_viewer.store import Store

MINE, ACME = Organization("default", "Mine"), Organization("acme", "Acme")


class LastingKeystore(MemoryKeystore):
    """Stands for the system's keyring, which keeps keys after the program ends."""

    persistent = True


@dataclass
class Forgetting:
    """Runs `usage-viewer forget …` in this process."""

    data: Path
    stores: dict[str, Keystore] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    err: str = ""

    def __call__(self, *arguments: str, answer: str | None = None) -> int:
        def ask(question: str) -> str:
            self.asked.append(question)
            if answer is None:
                raise EOFError
            return answer

        parsed = build_parser().parse_args(["forget", *arguments])
        chosen = ACME if parsed.profile == "acme" else MINE
        err = io.StringIO()
        status = run_forget(
            parsed, ProfilePaths(self.data, chosen.id), chosen, self.stores.__getitem__, ask=ask, err=err
        )
        self.err = err.getvalue()
        return status

    @property
    def kept(self) -> set[str]:
        return {id for id, store in self.stores.items() if store.load() is not None}


@pytest.fixture
def forget(tmp_path: Path) -> Forgetting:
    data = tmp_path / "data"
    settings.save(ProfilePaths(data).settings, Settings(organizations=(MINE, ACME)))
    forgetting = Forgetting(data)
    for id in ("default", "acme"):
        Store.open(ProfilePaths(data, id).database).close()
        forgetting.stores[id] = LastingKeystore(AdminKey.parse(f"sk-admin-of-{id}-0123456789"))
    return forgetting


@pytest.mark.parametrize("answer", ["y", "Yes", " YES "])
def test_removes_only_the_key(forget: Forgetting, answer: str) -> None:
    assert forget(answer=answer) == 0
    assert forget.kept == {"acme"}
    assert forget.asked == ["Remove the key of Mine from the keyring? [y/N] "]
    assert ProfilePaths(forget.data).database.exists()
    assert "removed from the keyring" in forget.err


def test_removes_the_key_of_the_named_organization(forget: Forgetting) -> None:
    assert forget("--profile", "acme", "--yes") == 0
    assert forget.kept == {"default"}
    assert forget.asked == []


@pytest.mark.parametrize("arguments", [(), ("--all",)])
@pytest.mark.parametrize("answer", ["", "n", "yy", "remove", None])
def test_does_nothing_without_confirmation(
    forget: Forgetting, arguments: tuple[str, ...], answer: str | None
) -> None:
    assert forget(*arguments, answer=answer) == 3
    assert forget.err == "usage-viewer: Nothing was removed.\n"
    assert forget.kept == {"default", "acme"}
    assert ProfilePaths(forget.data).settings.exists()


def test_removes_all(forget: Forgetting) -> None:
    assert forget("--all", answer="y") == 0
    (question,) = forget.asked
    assert "Mine, Acme" in question
    assert str(forget.data) in question
    assert forget.kept == set()
    assert not forget.data.exists()


def test_all_can_not_be_combined_with_profile(forget: Forgetting) -> None:
    assert forget("--all", "--profile", "acme", "--yes") == 2
    assert forget.kept == {"default", "acme"}


def test_locked_keyring_is_reported(forget: Forgetting) -> None:
    class Locked(LastingKeystore):
        def forget(self) -> None:
            raise KeyringLocked

    forget.stores["default"] = Locked(AdminKey.parse("sk-admin-of-default-0123456789"))
    assert forget("--yes") == 1
    assert "locked" in forget.err
    assert forget("--all", "--yes") == 1
    assert "The key of Mine could not be removed" in forget.err
    assert forget.kept == {"default"}
    assert not forget.data.exists()


def test_missing_keyring_is_reported(forget: Forgetting) -> None:
    forget.stores["default"] = MemoryKeystore()
    assert forget("--yes") == 0
    assert "no keyring" in forget.err


@pytest.mark.secret_service
def test_child_process_with_a_real_keyring(
    child: Any, secret_service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from usage_viewer.keystore import open_keystore

    secret_service.use(monkeypatch)
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    for id in ("default", "acme"):
        open_keystore(key_scope(id, child.server.base_url, child.home / "data")).save(
            AdminKey.parse(child.server.key)
        )
        Store.open(ProfilePaths(child.home / "data", id).database).close()
    run: Callable[..., Any] = child
    environment = {**secret_service.environment, "OPENAI_ADMIN_KEY": ""}
    environment["HOME"] = str(child.home)
    refused = run("forget", "--all", env=environment)
    assert (refused.status, refused.out) == (
        3,
        "Remove all keys (My organization, acme) from the keyring, and delete all "
        f"usage, names and settings in {child.home / 'data'}? [y/N] ",
    )
    done = run("forget", "--all", "--yes", env=environment)
    assert (done.status, done.out) == (0, "")
    assert "All keys, usage, names and settings were removed." in done.err
    scopes = [key_scope(id, child.server.base_url, child.home / "data") for id in ("default", "acme")]
    assert [open_keystore(scope).load() for scope in scopes] == [None, None]
    assert not (child.home / "data").exists()
