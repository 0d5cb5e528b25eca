"""Combines several organizations in one profile; each keeps its own data, server and key."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from usage_viewer.app.fetch.api_source import ConnectionOptions
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.capabilities import COMBINED
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import InputError, UsageViewerError

if TYPE_CHECKING:
    from usage_viewer.app.session.combined import CombinedSession
    from usage_viewer.app.session.store_session import StoreSession


class CombinedProfile(Profile):
    """Combines several profiles. `open_session` reads each profile's key from its own keystore."""

    capabilities = COMBINED

    def __init__(self, profiles: Sequence[Profile], *, clock: Callable[[], float]) -> None:
        from usage_viewer.keystore import MemoryKeystore

        super().__init__(
            "combined",
            label=" + ".join(profile.label for profile in profiles),
            base_url="",
            database=None,
            keystore=lambda: MemoryKeystore(description="Each organization has its own key."),
            connection=ConnectionOptions(
                server_note="\n".join(f"{one.label}: {one.server_note}" for one in profiles if one.server_note)
            ),
            clock=clock,
        )
        self.profiles = tuple(profiles)
        self.member_ids = tuple(profile.name for profile in profiles)

    def open_session(self, week_start: int = 0) -> "CombinedSession":
        """Open the sessions of all profiles as one session.

        A profile whose keyring fails is opened without its key. Raises StoreError. Raises InputError if two
        profiles have the same key, as their usage would be counted twice.
        """
        from usage_viewer.app.session.combined import CombinedSession

        sessions: dict[str, StoreSession] = {}
        key_errors: dict[str, UsageViewerError] = {}
        keys: list[AdminKey] = []
        with ExitStack() as opened:
            for profile in self.profiles:
                try:
                    session = opened.enter_context(closing(profile.open_session(week_start))).store_session
                except UsageViewerError as error:
                    error.title = f"{profile.label}: {error.title}"
                    raise
                assert session is not None  # a combined profile has no combined member
                sessions[profile.name] = session
                key = _load_key(profile, key_errors)
                if key is None:
                    continue
                if key in keys:
                    raise InputError(
                        profile.label,
                        title="Two of these organizations have the same key",
                        hint="They would be counted twice. Combine other organizations, or change one of the keys.",
                    )
                keys.append(key)
                session.connect(profile.source(key))
            opened.pop_all()
        labels = {profile.name: profile.label for profile in self.profiles}
        return CombinedSession(sessions, labels, clock=self.now, week_start=week_start, missing_keys=key_errors)


def _load_key(profile: Profile, key_errors: dict[str, UsageViewerError]) -> AdminKey | None:
    try:
        return profile.keystore.load()
    except UsageViewerError as error:
        key_errors[profile.name] = error
        return None
