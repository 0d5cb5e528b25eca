"""Tests the choice of the keystore, and the key in the environment."""

import pytest

from tests.rigs.keys import key_scope
from usage_viewer.domain.errors import InputError
from usage_viewer.keystore import VENDOR_SERVER, OsKeyring, key_from_environment, open_keystore

TEXT = "sk-admin-Zq7mW2xV9tLr4KpN8sHd3GfB6yTc"
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def test_key_is_read_from_the_environment() -> None:
    key = key_from_environment({"OPENAI_ADMIN_KEY": f" {TEXT}\n"})
    assert key is not None
    assert key.reveal() == TEXT


@pytest.mark.parametrize("environment", [{}, {"OPENAI_ADMIN_KEY": ""}, {"OPENAI_ADMIN_KEY": "  "}])
def test_unset_or_blank_variable_gives_no_key(environment: dict[str, str]) -> None:
    assert key_from_environment(environment) is None


def test_invalid_variable_is_reported_without_its_text() -> None:
    with pytest.raises(InputError) as caught:
        key_from_environment({"OPENAI_ADMIN_KEY": f"{TEXT} {TEXT}"})
    assert "OPENAI_ADMIN_KEY" in caught.value.hint
    assert TEXT[9:17] not in f"{caught.value} {caught.value.hint}"


def test_environment_is_used_on_request_only() -> None:
    environment = NO_KEYRING | {"OPENAI_ADMIN_KEY": TEXT}
    assert open_keystore(key_scope("default"), environment).load() is None
    keystore = open_keystore(key_scope("default"), environment, environment_server=VENDOR_SERVER)
    key = keystore.load()
    assert key is not None
    assert key.reveal() == TEXT
    assert not keystore.persistent
    assert keystore.description == "The key comes from the environment variable OPENAI_ADMIN_KEY."


def test_memory_keystore_describes_the_reason_and_the_consequence() -> None:
    keystore = open_keystore(key_scope("default"), NO_KEYRING, environment_server=VENDOR_SERVER)
    assert not keystore.persistent
    assert not isinstance(keystore, OsKeyring)
    assert keystore.description.startswith("This system has no keyring (")
    assert "keyring.backends.fail.Keyring" in keystore.description
    assert "lost when the program ends" in keystore.description
