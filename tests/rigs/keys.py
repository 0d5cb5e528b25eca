"""Provides a key, a search for its text, and the scopes of keys in a keyring."""

from pathlib import Path

from usage_viewer.keystore import VENDOR_SERVER, KeyScope, UnboundEntry

SECRET = "Zq7mW2xV9tLr4KpN8sHd3GfB6yTc"
TEXT = f"sk-admin-{SECRET}abcd"
MASKED = "sk-admin-…abcd"


def leaks(text: str, secret: str = SECRET) -> bool:
    """Report whether the text contains a part of 8 characters of the secret."""
    return any(secret[i : i + 8] in text for i in range(len(secret) - 7))


def key_scope(
    profile: str = "default",
    server: str = VENDOR_SERVER,
    data_dir: Path = Path("/nowhere/usage-viewer"),
    unbound: UnboundEntry | None = None,
) -> KeyScope:
    """Return the scope of a key for the server with this base URL, by default OpenAI's."""
    return KeyScope.of(profile, server, data_dir, unbound)
