"""Where a profile's data lives."""

import re
from dataclasses import dataclass
from pathlib import Path

from usage_viewer.domain.errors import InputError

PROGRAM = "usage-viewer"


@dataclass(frozen=True, slots=True)
class ProfilePaths:
    """The files of one profile (an organization): its database; the settings are common to all profiles."""

    data_dir: Path
    profile: str = "default"

    def __post_init__(self) -> None:
        # The name becomes a folder's and a keyring entry's name, on every system.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", self.profile) or self.profile.endswith("."):
            raise InputError(
                self.profile,
                title="This profile name can't be used",
                hint="Use up to 64 letters, digits, dots, dashes or underscores, a letter or digit first.",
            )

    @property
    def directory(self) -> Path:
        return self.data_dir / "profiles" / self.profile

    @property
    def database(self) -> Path:
        return self.directory / "usage.duckdb"

    @property
    def settings(self) -> Path:
        return self.data_dir / "settings.json"


def default_data_dir() -> Path:
    """The user's data directory as the platform has it."""
    import platformdirs

    return Path(platformdirs.user_data_dir(PROGRAM, appauthor=False))
