"""Which back ends of `keyring` are stores of the operating system, and which of them to use here."""

import configparser
import importlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from usage_viewer.domain.errors import NoKeyring
from usage_viewer.keystore.memory import FORGOTTEN

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend


class OsBackend(NamedTuple):
    """A store of the operating system: its class in `keyring`, its name for the user, the class we use."""

    name: str
    title: str
    used: str = ""


_LINUX = (
    OsBackend(
        "keyring.backends.SecretService.Keyring",
        "the desktop's keyring (Secret Service)",
        "usage_viewer.keystore.secret_service.ClosingKeyring",
    ),
    OsBackend("keyring.backends.libsecret.Keyring", "the desktop's keyring (Secret Service)"),
    OsBackend("keyring.backends.kwallet.DBusKeyring", "KWallet"),
)
_STORES: Final[Mapping[str, tuple[OsBackend, ...]]] = {
    "darwin": (OsBackend("keyring.backends.macOS.Keyring", "the macOS Keychain"),),
    "win32": (OsBackend("keyring.backends.Windows.WinVaultKeyring", "the Windows Credential Manager"),),
}
_CHAINER = "keyring.backends.chainer.ChainerBackend"
_WEAK_MODULES = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")


def system_backend(environment: Mapping[str, str], platform: str = sys.platform) -> "KeyringBackend":
    """The operating system's store that is at hand here; raises `NoKeyring` if there is none.

    Classes are named here, not searched for among installed plug-ins: none but these are ever imported, and
    a frozen program has no plug-in list. A choice in keyring's own configuration is honoured if it is one of
    them. Imports `keyring` and asks the bus: slow (some 0.2 s), and may hang.
    """
    stores = _STORES.get(platform, _LINUX)
    chosen = _configured(environment)
    if chosen and chosen != _CHAINER:
        stores = tuple(store for store in stores if store.name == chosen)
        if not stores:
            raise NoKeyring(
                f"keyring is configured to use {chosen}, which is not a store of the operating system",
                hint=f"{FORGOTTEN} Change PYTHON_KEYRING_BACKEND or keyringrc.cfg to keep it.",
            )
    classes = [found for store in stores if (found := _viable(store.used or store.name)) is not None]
    if not classes:
        raise NoKeyring(_reason(environment, platform), hint=_hint(platform))
    backend: KeyringBackend = max(classes, key=lambda backend: backend.priority)()
    return backend


def title_of(backend: "KeyringBackend") -> str:
    """How the user knows the store."""
    kind = type(backend)
    name = f"{kind.__module__}.{kind.__qualname__}"
    stores = (*_LINUX, *(store for group in _STORES.values() for store in group))
    titles = (store.title for store in stores if name in (store.name, store.used))
    return next(titles, f"the keyring {kind.__qualname__}")


def is_weak(backend: "KeyringBackend") -> bool:
    """Whether it keeps nothing, or keeps it in a file, or is a chain of such ones."""
    kind = type(backend)
    if kind.__module__.startswith(_WEAK_MODULES) or "plaintext" in kind.__qualname__.lower():
        return True
    if f"{kind.__module__}.{kind.__qualname__}" == _CHAINER:
        return all(is_weak(link) for link in getattr(backend, "backends", ()))
    return False


def _viable(name: str) -> "type[KeyringBackend] | None":
    module, _, attribute = name.rpartition(".")
    try:
        found: type[KeyringBackend] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):  # what the back end needs isn't installed
        return None
    return found if found.viable else None


def _configured(environment: Mapping[str, str]) -> str:
    """The back end named in keyring's own configuration, or "". The file is read as a file is: not run."""
    named = environment.get("PYTHON_KEYRING_BACKEND", "").strip()
    if named:
        return named
    from keyring.util import platform_

    parser = configparser.RawConfigParser()
    try:
        parser.read(platform_.config_root() / "keyringrc.cfg", encoding="utf-8")
    except (OSError, UnicodeDecodeError, configparser.Error):
        return ""
    return parser.get("backend", "default-keyring", fallback="").strip()


def _reason(environment: Mapping[str, str], platform: str) -> str:
    if platform in _STORES:
        return "the system's own store is not available to this program"
    if not environment.get("DBUS_SESSION_BUS_ADDRESS"):
        return "this session has no D-Bus"
    return "no Secret Service answers in this session"


def _hint(platform: str) -> str:
    if platform in _STORES:
        return FORGOTTEN
    return f"{FORGOTTEN} The package gnome-keyring (on KDE: kwalletmanager) brings a keyring; log in anew after."
