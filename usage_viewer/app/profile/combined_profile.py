"""Several organizations looked at as one: each keeps its own data, server and key."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.capabilities import COMBINED
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import InputError, UsageViewerError

if TYPE_CHECKING:
    from usage_viewer.app.session.combined import CombinedSession
    from usage_viewer.app.session.store_session import StoreSession


class CombinedProfile(Profile):
    """Several profiles as one. Their keys are taken from their own keystores when it is opened."""

    capabilities = COMBINED

    def __init__(self, profiles: Sequence[Profile], *, clock: Callable[[], float], week_start: int = 0) -> None:
        from usage_viewer.keystore import MemoryKeystore

        super().__init__(
            "combined",
            label=" + ".join(profile.label for profile in profiles),
            base_url="",
            database=None,
            keystore=lambda: MemoryKeystore(description="Each organization's key is kept by itself."),
            clock=clock,
            week_start=week_start,
        )
        self.profiles = tuple(profiles)
        self.member_ids = tuple(profile.name for profile in profiles)

    def open_session(self, week_start: int | None = None) -> "CombinedSession":
        """Raises StoreError, InputError where two of them have the same key: they'd be counted twice."""
        from usage_viewer.app.session.combined import CombinedSession

        sessions: dict[str, StoreSession] = {}
        lacking: dict[str, UsageViewerError] = {}
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
                key = _key(profile, lacking)
                if key is None:
                    continue
                if key in keys:
                    raise InputError(
                        profile.label,
                        title="Two of these organizations have the same key",
                        hint="They would be counted twice. Combine others, or replace one of the keys.",
                    )
                keys.append(key)
                session.connect(profile.source(key))
            opened.pop_all()
        labels = {profile.name: profile.label for profile in self.profiles}
        first_day = self._week_start if week_start is None else week_start
        return CombinedSession(sessions, labels, clock=self.now, week_start=first_day, missing_keys=lacking)


def _key(profile: Profile, lacking: dict[str, UsageViewerError]) -> AdminKey | None:
    try:
        return profile.keystore.load()
    except UsageViewerError as error:
        lacking[profile.name] = error
        return None
