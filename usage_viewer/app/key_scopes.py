"""Determines what an organization's key is for, and to which data directory a key of an older version belongs."""

from typing import TYPE_CHECKING

from usage_viewer.app.fetch.api_source import OFFICIAL_URL
from usage_viewer.app.profile.paths import ProfilePaths, default_data_dir
from usage_viewer.app.settings.settings import organizations_of
from usage_viewer.domain.origin import origin_of

if TYPE_CHECKING:
    from usage_viewer.keystore import KeyScope, UnboundEntry


def key_scope(paths: ProfilePaths, base_url: str) -> "KeyScope":
    """Return the scope of the key of an organization whose server has this base URL."""
    from usage_viewer.keystore import KeyScope

    return KeyScope.of(paths.profile, base_url, paths.data_dir, _unbound_entry(paths))


def _unbound_entry(paths: ProfilePaths) -> "UnboundEntry":
    """Describe the entry that an older version may have stored, which all data directories shared.

    Only the settings in the default data directory are the user's own beyond doubt. The server that they record is
    therefore the one that the key was given for, and only that directory adopts the key. Any other directory may
    come with a settings file of somebody else.
    """
    from usage_viewer.keystore import UnboundEntry

    default = ProfilePaths(default_data_dir(), paths.profile)
    is_default = default.data_dir.resolve() == paths.data_dir.resolve()
    organizations, _ = organizations_of(default.settings)
    recorded = next((one.base_url for one in organizations if one.id == paths.profile), "")
    return UnboundEntry(
        server=origin_of(recorded or OFFICIAL_URL) or recorded,
        adopted=is_default,
        removed=is_default or not default.directory.exists(),
    )
