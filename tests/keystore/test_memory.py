"""Tests the keystore in memory."""

from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import Keystore, MemoryKeystore

KEY = AdminKey.parse("sk-admin-Zq7mW2xV9tLr4KpN8sHd3GfB6yTc")


def test_key_is_stored_in_the_object_only() -> None:
    keystore: Keystore = MemoryKeystore()
    assert keystore.load() is None
    keystore.save(KEY)
    assert keystore.load() == KEY
    assert MemoryKeystore().load() is None
    keystore.forget()
    keystore.forget()
    assert keystore.load() is None


def test_description_says_that_the_key_will_be_lost() -> None:
    keystore = MemoryKeystore(KEY)
    assert not keystore.persistent
    assert keystore.description == "A key that you enter is stored in memory only and lost when the program ends."
    assert MemoryKeystore(description="Reason.").description == "Reason."
