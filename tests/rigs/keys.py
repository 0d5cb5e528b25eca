"""Provides the scopes of keys in a keyring."""

from pathlib import Path

from usage_viewer.keystore import VENDOR_SERVER, KeyScope, UnboundEntry


def key_scope(
    profile: str = "default",
    server: str = VENDOR_SERVER,
    data_dir: Path = Path("/nowhere/usage-viewer"),
    unbound: UnboundEntry | None = None,
) -> KeyScope:
    """Return the scope of a key for the server with this base URL, by default OpenAI's."""
    return KeyScope.of(profile, server, data_dir, unbound)
