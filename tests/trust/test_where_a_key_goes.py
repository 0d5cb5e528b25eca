"""A key goes only to the server that it was given for, whatever names the server and holds the key."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.rigs.key_watch import Watch, watched_servers
from tests.rigs.secret_service import secret_service_keyring
from usage_viewer.__main__ import main
from usage_viewer.app.key_scopes import key_scope
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings.settings import Settings, save
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyForAnotherServer
from usage_viewer.keystore import SERVICE, VENDOR_SERVER, open_keystore

if TYPE_CHECKING:
    from tests.rigs.secret_service import SecretService
    from tests.trust.conftest import Program

pytestmark = pytest.mark.secret_service

ENVIRONMENT_KEY: Final = "sk-admin-environment-Zq7mW2xV9tLr4KpN8sHd3GfB6yTc"
KEYRING_KEY: Final = "sk-admin-keyring-Hd3GfB6yTcZq7mW2xV9tLr4KpN8s"
TABLE: Final = ("table", "--from", "2026-10-20", "--to", "2026-10-21", "--no-store")
VENDOR: Final = "vendor"
NOWHERE: Final = ""


@dataclass(frozen=True)
class Case:
    """Says what names a server ("" for nothing) and which keys there are.

    `keyring` is the server of the bound key in the keyring; `old` is an entry of an older version.
    """

    settings: str
    option: str
    variable: str
    environment: bool
    keyring: str

    @property
    def server(self) -> str:
        """Return the server to fetch from."""
        return self.option or self.variable or self.settings or VENDOR

    @property
    def environment_receiver(self) -> str:
        """Return the server that gets the environment's key."""
        only_a_file_names_it = not (self.option or self.variable) and self.server != VENDOR
        return self.server if self.environment and not only_a_file_names_it else NOWHERE

    def keyring_receiver(self, *, is_default_directory: bool) -> str:
        """Return the server that gets the keyring's key."""
        bound_to = self.keyring
        if bound_to == "old":
            bound_to = (self.settings or VENDOR) if is_default_directory else NOWHERE
        return self.server if self.server == bound_to and not self.environment_receiver else NOWHERE


CASES: Final = [
    case
    for values in product(
        ("", "b"), ("", "a", "b", VENDOR), ("", "a"), (False, True), ("", VENDOR, "a", "b", "old")
    )
    if not ((case := Case(*values)).option and case.variable) or case.keyring == "a"
]


@dataclass
class Runner:
    """Runs the command line in a data directory, with a keyring and recording servers."""

    watch: Watch
    keyring: "SecretService"
    monkeypatch: pytest.MonkeyPatch
    paths: ProfilePaths

    def url(self, server: str) -> str:
        """Return the base URL of a server by its name in a case."""
        return {
            "": "",
            "a": self.watch.a.base_url,
            "b": self.watch.b.base_url,
            VENDOR: f"{VENDOR_SERVER}/v1",
        }[server]

    def prepare(self, case: Case) -> list[str]:
        """Set up settings, environment and keyring; return the arguments."""
        self.watch.clear()
        listed = (Organization("default", "Mine", self.url(case.settings)),)
        save(self.paths.settings, Settings(organizations=listed))
        self.monkeypatch.setenv("OPENAI_BASE_URL", self.url(case.variable))
        self.monkeypatch.setenv("OPENAI_ADMIN_KEY", ENVIRONMENT_KEY if case.environment else "")
        open_keystore(key_scope(self.paths, "")).forget()
        write_old_entry(KEYRING_KEY if case.keyring == "old" else "")
        if case.keyring not in ("", "old"):
            scope = key_scope(self.paths, self.url(case.keyring))
            open_keystore(scope).save(AdminKey.parse(KEYRING_KEY))
        return [*TABLE, *(("--base-url", self.url(case.option)) if case.option else ())]


def write_old_entry(text: str) -> None:
    """Store the entry of an older version, named by the profile alone; "" removes it."""
    keyring = secret_service_keyring()
    if text:
        keyring.set_password(SERVICE, "default", text)
    elif keyring.get_password(SERVICE, "default"):
        keyring.delete_password(SERVICE, "default")


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watched_servers() as watch:
        yield watch


@pytest.fixture
def runner(
    watch: Watch, secret_service: "SecretService", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Runner:
    secret_service.use(monkeypatch)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://{watch.vendor.address}")
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return Runner(watch, secret_service, monkeypatch, ProfilePaths(tmp_path / "usage-viewer"))


@pytest.mark.parametrize("is_default_directory", [True, False])
@pytest.mark.parametrize("settings", ["", "b"])
@pytest.mark.parametrize("option", ["", "a", "b", VENDOR])
def test_each_key_goes_to_its_server_only(
    runner: Runner, capsys: pytest.CaptureFixture[str], option: str, settings: str, *, is_default_directory: bool
) -> None:
    if not is_default_directory:
        runner.paths = ProfilePaths(runner.paths.data_dir.parent / "checkout")
    for case in CASES:
        if (case.option, case.settings) != (option, settings):
            continue
        if not is_default_directory and case.keyring != "old":
            continue  # bound entries are the same in every directory
        arguments = runner.prepare(case)
        status = main(["--data-dir", str(runner.paths.data_dir), *arguments])
        err = capsys.readouterr().err
        sent = {
            ENVIRONMENT_KEY: case.environment_receiver,
            KEYRING_KEY: case.keyring_receiver(is_default_directory=is_default_directory),
        }
        for key, receiver in sent.items():
            assert runner.watch.receivers(key) == {receiver} - {NOWHERE, VENDOR}, (case, err)
            assert not any(key in head for head in runner.watch.vendor.heads)
            assert key not in err
        assert runner.watch.asked == set(sent.values()) - {NOWHERE}, (case, err)
        if runner.watch.asked:
            assert status == 3, "the servers refuse every key"
            assert (case.server == VENDOR) == ("(named by " not in err), (case, err)
        elif case.environment or case.keyring:
            assert status == 2, (case, err)
            assert "Nothing was sent there" in err
            assert (VENDOR_SERVER if case.server == VENDOR else getattr(runner.watch, case.server).origin) in err
        else:
            assert status == 3, (case, err)
            assert "No admin key" in err


def child(runner: Runner, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the program as a process with the environment of this one."""
    return subprocess.run(
        [sys.executable, "-m", "usage_viewer", *arguments],
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_processes_in_a_checkout_that_brings_settings(runner: Runner) -> None:
    checkout = runner.paths.data_dir.parent / "checkout"
    save(
        ProfilePaths(checkout).settings, Settings(organizations=(Organization("default", "Mine", runner.url("b")),))
    )
    runner.monkeypatch.chdir(checkout)
    open_keystore(key_scope(runner.paths, "https://api.openai.com/v1")).save(AdminKey.parse(KEYRING_KEY))
    for key in (ENVIRONMENT_KEY, ""):
        runner.monkeypatch.setenv("OPENAI_ADMIN_KEY", key)
        done = child(runner, "--data-dir", ".", *TABLE)
        assert done.returncode == (2 if key else 3)
        assert runner.watch.asked == set()
    runner.monkeypatch.setenv("OPENAI_ADMIN_KEY", "")
    write_old_entry(KEYRING_KEY)
    done = child(runner, "--data-dir", ".", *TABLE)
    assert (done.returncode, runner.watch.asked) == (2, set())
    assert VENDOR_SERVER in done.stderr
    assert runner.watch.b.origin in done.stderr
    assert "start usage-viewer with the same options and agree in its window" in done.stderr
    assert child(runner, "--data-dir", ".", "forget", "--yes").returncode == 0


def test_processes_with_a_kept_key_and_another_server(runner: Runner) -> None:
    runner.monkeypatch.setenv("OPENAI_ADMIN_KEY", "")
    open_keystore(key_scope(runner.paths, runner.url("a"))).save(AdminKey.parse(KEYRING_KEY))
    done = child(runner, *TABLE, "--base-url", runner.url("a"))
    assert (done.returncode, runner.watch.asked) == (3, {"a"})
    assert f"The server is {runner.watch.a.origin} (named by --base-url)" in done.stderr
    runner.watch.clear()
    for arguments in (("--base-url", runner.url("b")), ()):
        done = child(runner, *TABLE, *arguments)
        assert (done.returncode, runner.watch.asked) == (2, set())
        assert runner.watch.a.origin in done.stderr
    runner.monkeypatch.setenv("OPENAI_BASE_URL", runner.url("a"))
    assert child(runner, *TABLE).returncode == 3
    assert runner.watch.receivers(KEYRING_KEY) == {"a"}
    assert child(runner, "forget", "--all", "--yes").returncode == 0
    assert open_keystore(key_scope(runner.paths, runner.url("a"))).load() is None


def test_window_asks_before_a_kept_key_goes_to_another_server(
    program: "Program", secret_service: "SecretService", monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_service.use(monkeypatch)
    other = key_scope(ProfilePaths(program.data), "https://other.example/v1")
    open_keystore(other).save(AdminKey.parse(program.server.key))
    environment = {
        name: value for name, value in secret_service.environment.items() if name.startswith(("XDG_", "DBUS_"))
    }
    with program.window(env={**environment, "OPENAI_ADMIN_KEY": ""}) as window:
        window.wait_for("banner", "another server")
        window.wait_for("texts", "Use this key for 127.0.0.1:")
        assert window.wait_for("texts", "named by --base-url")
        assert program.server.requests == []
        window.close()
    with program.window(env={**environment, "OPENAI_ADMIN_KEY": program.server.key}) as window:
        window.wait_for("shown", "Complete: 30 days")
        window.close()


def test_invalid_variable_is_named(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.monkeypatch.setenv("OPENAI_BASE_URL", "ftp://example.org")
    assert main([*TABLE]) == 2
    assert "OPENAI_BASE_URL" in capsys.readouterr().err


def test_two_data_directories_share_no_key(runner: Runner) -> None:
    runner.prepare(Case("", "a", "", environment=False, keyring="a"))
    other = ProfilePaths(runner.paths.data_dir.parent / "other")
    assert open_keystore(key_scope(other, runner.url("a"))).load() is None
    open_keystore(key_scope(other, runner.url("a"))).forget()
    assert open_keystore(key_scope(runner.paths, runner.url("a"))).load() == AdminKey.parse(KEYRING_KEY)
    with pytest.raises(KeyForAnotherServer):
        open_keystore(key_scope(runner.paths, runner.url("b"))).load()
