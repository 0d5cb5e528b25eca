"""The key in memory is there for the session and says that it isn't kept."""

from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import Keystore, MemoryKeystore

KEY = AdminKey.parse("sk-admin-Zq7mW2xV9tLr4KpN8sHd3GfB6yTc")


def test_it_keeps_the_key_for_its_own_life_only() -> None:
    keystore: Keystore = MemoryKeystore()
    assert keystore.load() is None
    keystore.save(KEY)
    assert keystore.load() == KEY
    assert MemoryKeystore().load() is None
    keystore.forget()
    keystore.forget()
    assert keystore.load() is None


def test_it_says_that_the_key_will_be_forgotten() -> None:
    keystore = MemoryKeystore(KEY)
    assert not keystore.lasting
    assert keystore.description == "The key is kept in memory only and forgotten when the program ends."
    assert MemoryKeystore(description="Why.").description == "Why."
