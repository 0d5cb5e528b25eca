"""Tests that only the operating system's stores are used, whatever is installed or configured."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null

from usage_viewer.domain.errors import NoKeyring
from usage_viewer.keystore.os_backends import backend_title, find_backend, is_insecure


def new_backend(kind: Callable[[], KeyringBackend]) -> KeyringBackend:
    """Create a back end of a class whose constructor has no type annotations."""
    return kind()


class PlaintextKeyring(KeyringBackend):
    """Stands for the class in keyrings.alt that writes a file."""

    priority = 0.5

    def get_password(self, service: str, username: str) -> str | None:
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        return None


class OwnKeyring(PlaintextKeyring):
    """A class that is not a store of the operating system and not known as insecure."""


class EncryptedKeyring(PlaintextKeyring):
    """Has the module name of the file back ends in keyrings.alt."""

    __module__ = "keyrings.alt.file"


OwnKeyring.__module__ = "somewhere"
OwnKeyring.__qualname__ = "OwnKeyring"


class Chain(chainer.ChainerBackend):
    """A chain of given back ends."""

    backends: list[KeyringBackend] = []  # noqa: RUF012


Chain.__module__ = "keyring.backends.chainer"
Chain.__qualname__ = "ChainerBackend"


def chain(*backends: KeyringBackend) -> KeyringBackend:
    chained = new_backend(Chain)
    assert isinstance(chained, Chain)
    chained.backends = list(backends)
    return chained


def test_backends_without_storage_or_with_a_file_are_insecure() -> None:
    assert is_insecure(new_backend(fail.Keyring))
    assert is_insecure(new_backend(null.Keyring))
    assert is_insecure(new_backend(PlaintextKeyring))
    assert is_insecure(new_backend(EncryptedKeyring))
    assert not is_insecure(new_backend(OwnKeyring))


def test_chain_is_insecure_if_all_its_backends_are() -> None:
    assert is_insecure(chain())
    assert is_insecure(chain(new_backend(fail.Keyring), new_backend(PlaintextKeyring)))
    assert is_insecure(chain(chain(new_backend(null.Keyring))))
    assert not is_insecure(chain(new_backend(null.Keyring), new_backend(OwnKeyring)))


@pytest.mark.parametrize(
    "chosen",
    [
        "keyring.backends.null.Keyring",
        "keyrings.alt.file.PlaintextKeyring",
        "no.such.module",
        "nonsense",
        "os",
    ],
)
def test_configured_insecure_backend_is_rejected_by_name(chosen: str) -> None:
    with pytest.raises(NoKeyring) as caught:
        find_backend({"PYTHON_KEYRING_BACKEND": chosen})
    assert chosen in caught.value.detail
    assert "PYTHON_KEYRING_BACKEND" in caught.value.hint
    assert "lost when the program ends" in caught.value.hint


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the file is in the place for Linux")
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[backend]\ndefault-keyring=keyring.backends.null.Keyring\n", "keyring.backends.null.Keyring"),
        ("[backend]\ndefault-keyring=evil.Keyring\nkeyring-path=/nowhere\n", "evil.Keyring"),
        ("[backend]\n", "no D-Bus"),
        ("not a configuration", "no D-Bus"),
        ("[backend]\ndefault-keyring=keyring.backends.chainer.ChainerBackend\n", "no D-Bus"),
    ],
)
def test_configuration_file_is_parsed_but_not_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, expected: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    (tmp_path / "python_keyring").mkdir()
    (tmp_path / "python_keyring" / "keyringrc.cfg").write_text(content)
    with pytest.raises(NoKeyring) as caught:
        find_backend({}, platform="linux")
    assert expected in caught.value.detail


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_missing_store_of_macos_and_windows_has_no_package_hint(platform: str) -> None:
    if sys.platform == platform:
        pytest.skip(f"on {platform} the store exists")
    with pytest.raises(NoKeyring) as caught:
        find_backend({}, platform=platform)
    assert "gnome-keyring" not in caught.value.hint
    assert "own store" in caught.value.detail


def test_backend_titles() -> None:
    from keyring.backends import Windows, kwallet, macOS

    assert backend_title(new_backend(Windows.WinVaultKeyring)) == "the Windows Credential Manager"
    assert backend_title(new_backend(macOS.Keyring)) == "the macOS Keychain"
    assert backend_title(new_backend(kwallet.DBusKeyring)) == "KWallet"
    assert backend_title(new_backend(OwnKeyring)) == "the keyring OwnKeyring"
