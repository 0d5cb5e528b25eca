"""Starts a real Secret Service: a private D-Bus session with an unlocked gnome-keyring-daemon in it.

Real: both daemons and their protocol. Private: the bus, the home directory and the keyring's files.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.buses import start_bus, start_child

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection  # type: ignore[import-untyped]

_PROGRAMS = {"dbus-daemon": "dbus-daemon", "gnome-keyring-daemon": "gnome-keyring"}
_PROMPTER = Path("/usr/share/dbus-1/services/org.gnome.keyring.SystemPrompter.service")
_PASSWORD = b"a password for the tests"
_COMMAND = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"]
_SERVICE = """[D-BUS Service]
Name=org.freedesktop.secrets
Exec=/bin/sh -c "exec {command} < '{password}'"
"""
"""The bus starts a keyring that has ended, as a desktop's does; without a password it would be locked."""
_DEADLINE = 60.0
"""Seconds; each step takes some 0.05 s on an idle machine."""


class SecretService:
    """Starts the two daemons as children, in directories of their own; `close` ends them.

    With `display` (as in `DISPLAY`) the keyring can show its password prompt there; without, it can show none.
    """

    def __init__(self, root: Path, *, display: str | None = None) -> None:
        self._children = ExitStack()
        self._private = _private_directories(root)
        services = root / "services"
        services.mkdir()
        if _PROMPTER.exists():
            shutil.copy(_PROMPTER, services)
        self._password = root / "password"
        self._password.write_bytes(_PASSWORD)
        self._service = services / "org.freedesktop.secrets.service"
        screen = {"DISPLAY": display} if display else {}
        environment = _without_session(dict(os.environ)) | self._private | screen
        try:
            self._start(root, services, environment)
        except BaseException:
            self.close()
            raise

    def _start(self, root: Path, services: Path, environment: dict[str, str]) -> None:
        self.address = start_bus(
            self._children,
            root / "bus.conf",
            environment,
            kind="session",
            sockets=self._private["XDG_RUNTIME_DIR"],
            services=services,
        )
        self._private["DBUS_SESSION_BUS_ADDRESS"] = self.address
        self._daemon = start_child(
            self._children,
            _COMMAND,
            environment | self._private,
        )
        assert self._daemon.stdin is not None
        self._daemon.stdin.write(_PASSWORD)
        self._daemon.stdin.close()
        # The daemon accepts a wrong password silently: only an unlocked collection shows that it is ready.
        _wait_until(lambda: self._locked() is False, "the keyring to be unlocked")
        self._service.write_text(_SERVICE.format(command=" ".join(_COMMAND), password=self._password))
        self._ask_bus("ReloadConfig")

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment for a child process in this session; it has no display."""
        return _without_session(dict(os.environ)) | self._private

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the test's own process into this session."""
        for name, value in self._private.items():
            monkeypatch.setenv(name, value)

    def lock(self) -> None:
        """Locks the keyring, as a screen saver or the keyring program does."""
        import secretstorage

        with closing(self._connection()) as connection:
            secretstorage.Collection(connection).lock()
        _wait_until(lambda: self._locked() is True, "the keyring to be locked")

    def stop_service(self) -> None:
        """End the keyring for good; the bus stays."""
        self._service.unlink()
        self._ask_bus("ReloadConfig")
        self.crash()

    def crash(self) -> None:
        """End the keyring; the bus starts another one when it is asked."""
        self._daemon.kill()
        self._daemon.wait(_DEADLINE)

    def pause(self) -> None:
        """Make the keyring hang: it accepts calls and doesn't answer, until `resume`."""
        self._daemon.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._daemon.send_signal(signal.SIGCONT)

    def prompter(self) -> int | None:
        """Return the process that shows the password prompt; None while no prompt is shown."""
        import jeepney  # type: ignore[import-untyped]

        reply = self._ask_bus("GetConnectionUnixProcessID", "s", ("org.gnome.keyring.SystemPrompter",))
        if reply.header.message_type is not jeepney.MessageType.method_return:
            return None
        process: int = reply.body[0]
        return process

    def dismiss_prompt(self) -> bool:
        """End the password prompt, as closing its window does; return False if no prompt is shown."""
        prompter = self.prompter()
        if prompter is not None:
            os.kill(prompter, signal.SIGKILL)
        return prompter is not None

    def close(self) -> None:
        self._children.close()

    def _ask_bus(self, method: str, signature: str | None = None, body: tuple[str, ...] = ()) -> Any:
        import jeepney

        bus = jeepney.DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
        with closing(self._connection()) as connection:
            return connection.send_and_get_reply(jeepney.new_method_call(bus, method, signature, body))

    def _connection(self) -> "DBusConnection":
        from jeepney.io.blocking import open_dbus_connection

        return open_dbus_connection(bus=self.address)

    def _locked(self) -> bool | None:
        """Return whether the keyring is locked; None while it doesn't answer."""
        import secretstorage

        with closing(self._connection()) as connection:
            try:
                return secretstorage.Collection(connection).is_locked()
            except secretstorage.exceptions.SecretStorageException:
                return None


def _private_directories(root: Path) -> dict[str, str]:
    names = {
        "HOME": "home",
        "XDG_RUNTIME_DIR": "run",
        "XDG_DATA_HOME": "data",
        "XDG_CONFIG_HOME": "config",
        "XDG_CACHE_HOME": "cache",
    }
    for name in names.values():
        (root / name).mkdir(mode=0o700)
    return {variable: str(root / name) for variable, name in names.items()}


def _without_session(environment: dict[str, str]) -> dict[str, str]:
    session = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "GNOME_KEYRING_CONTROL")
    return {name: value for name, value in environment.items() if name not in session}


def _wait_until(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _DEADLINE
    while not holds():
        assert time.monotonic() < until, f"waited {_DEADLINE:g} s for {what}"
        time.sleep(0.02)


def skip_without_secret_service() -> None:
    """Skips the test where the two daemons can't run."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the Secret Service is Linux's keyring")
    missing = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs the packages {', '.join(missing)}")


def secret_service_keyring() -> Any:
    """Return keyring's back end of the Secret Service, whatever other back ends this process has loaded.

    The functions of the package `keyring` would ask its chain of all back ends, those of other tests too.
    """
    from keyring.backends.SecretService import Keyring

    return Keyring()  # type: ignore[no-untyped-call]
