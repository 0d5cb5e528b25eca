"""Combines several organizations in one profile; each keeps its own data, server and key."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from usage_viewer.app.profile.profile import Profile
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import InputError, UsageViewerError

if TYPE_CHECKING:
    from usage_viewer.app.session.combined import CombinedSession
    from usage_viewer.app.session.session import Session


class CombinedProfile(Profile):
    """Combines several profiles. `open_session` reads each profile's key from its own keystore."""

    needs_key = False

    def __init__(self, profiles: Sequence[Profile], *, clock: Callable[[], float], week_start: int = 0) -> None:
        from usage_viewer.keystore import MemoryKeystore

        super().__init__(
            "combined",
            label=" + ".join(profile.label for profile in profiles),
            base_url="",
            database=None,
            keystore=lambda: MemoryKeystore(description="Each organization has its own key."),
            clock=clock,
            week_start=week_start,
        )
        self.profiles = tuple(profiles)

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of the combined profiles."""
        return tuple(profile.name for profile in self.profiles)

    def open_session(self, week_start: int | None = None) -> "CombinedSession":
        """Open the sessions of all profiles as one session.

        A profile whose keyring fails is opened without its key. Raises StoreError. Raises InputError if two
        profiles have the same key, as their usage would be counted twice.
        """
        from usage_viewer.app.session.combined import CombinedSession

        sessions: dict[str, Session] = {}
        key_errors: dict[str, UsageViewerError] = {}
        keys: list[AdminKey] = []
        with ExitStack() as opened:
            for profile in self.profiles:
                try:
                    session = opened.enter_context(closing(profile.open_session(week_start)))
                except UsageViewerError as error:
                    error.title = f"{profile.label}: {error.title}"
                    raise
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
                source = profile.source(key)
                session.connect(source, source)
            opened.pop_all()
        labels = {profile.name: profile.label for profile in self.profiles}
        first_day = self._week_start if week_start is None else week_start
        return CombinedSession(sessions, labels, clock=self.now, week_start=first_day, lacking=key_errors)


def _load_key(profile: Profile, key_errors: dict[str, UsageViewerError]) -> AdminKey | None:
    try:
        return profile.keystore.load()
    except UsageViewerError as error:
        key_errors[profile.name] = error
        return None
