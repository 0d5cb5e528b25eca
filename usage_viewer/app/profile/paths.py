"""Defines the paths of a profile's files."""

import re
from dataclasses import dataclass
from pathlib import Path

from usage_viewer.domain.errors import InputError

PROGRAM = "usage-viewer"


@dataclass(frozen=True, slots=True)
class ProfilePaths:
    """Names the files of one profile (an organization): its database, and the settings of all profiles.

    Raises InputError if `profile` can't be the name of a folder and of a keyring entry on every system.
    """

    data_dir: Path
    profile: str = "default"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", self.profile) or self.profile.endswith("."):
            raise InputError(
                self.profile,
                title="This profile name can't be used",
                hint="Use up to 64 letters, digits, dots, dashes or underscores, a letter or digit first.",
            )

    @property
    def directory(self) -> Path:
        """Return the profile's data directory."""
        return self.data_dir / "profiles" / self.profile

    @property
    def database(self) -> Path:
        """Return the path of the profile's database."""
        return self.directory / "usage.duckdb"

    @property
    def settings(self) -> Path:
        """Return the path of the settings, which all profiles share."""
        return self.data_dir / "settings.json"

    @property
    def saved_views(self) -> Path:
        """Return the path of the saved views, which all profiles share."""
        return self.data_dir / "views.json"


def default_data_dir() -> Path:
    """Return the program's data directory at the platform's usual location."""
    import platformdirs

    return Path(platformdirs.user_data_dir(PROGRAM, appauthor=False))
