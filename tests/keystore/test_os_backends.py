"""Only stores of the operating system are used, whatever is installed or configured."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null

from usage_viewer.domain.errors import NoKeyring
from usage_viewer.keystore.os_backends import is_weak, system_backend, title_of


def made(kind: Callable[[], KeyringBackend]) -> KeyringBackend:
    """One of a class whose constructor has no types."""
    return kind()


class PlaintextKeyring(KeyringBackend):
    """As keyrings.alt has it: a file."""

    priority = 0.5

    def get_password(self, service: str, username: str) -> str | None:
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        return None


class OwnKeyring(PlaintextKeyring):
    """Any other class that somebody passes on purpose."""


class EncryptedKeyring(PlaintextKeyring):
    """Stands where keyrings.alt's file back ends stand."""

    __module__ = "keyrings.alt.file"


OwnKeyring.__module__ = "somewhere"
OwnKeyring.__qualname__ = "OwnKeyring"


class Chain(chainer.ChainerBackend):
    """A chain of given links."""

    backends: list[KeyringBackend] = []  # noqa: RUF012


Chain.__module__ = "keyring.backends.chainer"
Chain.__qualname__ = "ChainerBackend"


def chain(*links: KeyringBackend) -> KeyringBackend:
    chained = made(Chain)
    assert isinstance(chained, Chain)
    chained.backends = list(links)
    return chained


def test_back_ends_that_keep_nothing_or_a_file_are_weak() -> None:
    assert is_weak(made(fail.Keyring))
    assert is_weak(made(null.Keyring))
    assert is_weak(made(PlaintextKeyring))
    assert is_weak(made(EncryptedKeyring))
    assert not is_weak(made(OwnKeyring))


def test_a_chain_is_as_strong_as_its_strongest_link() -> None:
    assert is_weak(chain())
    assert is_weak(chain(made(fail.Keyring), made(PlaintextKeyring)))
    assert is_weak(chain(chain(made(null.Keyring))))
    assert not is_weak(chain(made(null.Keyring), made(OwnKeyring)))


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
def test_a_configured_weak_back_end_is_no_keyring_and_is_named(chosen: str) -> None:
    with pytest.raises(NoKeyring) as caught:
        system_backend({"PYTHON_KEYRING_BACKEND": chosen})
    assert chosen in caught.value.detail
    assert "PYTHON_KEYRING_BACKEND" in caught.value.hint
    assert "forgotten when the program ends" in caught.value.hint


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="places the file where Linux has it")
@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("[backend]\ndefault-keyring=keyring.backends.null.Keyring\n", "keyring.backends.null.Keyring"),
        ("[backend]\ndefault-keyring=evil.Keyring\nkeyring-path=/nowhere\n", "evil.Keyring"),
        ("[backend]\n", "no D-Bus"),
        ("not a configuration", "no D-Bus"),
        ("[backend]\ndefault-keyring=keyring.backends.chainer.ChainerBackend\n", "no D-Bus"),
    ],
)
def test_the_configuration_file_is_honoured_but_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, names: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    (tmp_path / "python_keyring").mkdir()
    (tmp_path / "python_keyring" / "keyringrc.cfg").write_text(content)
    with pytest.raises(NoKeyring) as caught:
        system_backend({}, platform="linux")
    assert names in caught.value.detail


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_have_one_store_each_and_no_package_to_install(platform: str) -> None:
    if sys.platform == platform:
        pytest.skip(f"here, on {platform}, the store is there")
    with pytest.raises(NoKeyring) as caught:
        system_backend({}, platform=platform)
    assert "gnome-keyring" not in caught.value.hint
    assert "own store" in caught.value.detail


def test_stores_have_names_that_the_user_knows() -> None:
    from keyring.backends import Windows, kwallet, macOS

    assert title_of(made(Windows.WinVaultKeyring)) == "the Windows Credential Manager"
    assert title_of(made(macOS.Keyring)) == "the macOS Keychain"
    assert title_of(made(kwallet.DBusKeyring)) == "KWallet"
    assert title_of(made(OwnKeyring)) == "the keyring OwnKeyring"
