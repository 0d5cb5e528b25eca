"""Defines `AppContext`: everything that the window needs from the start of the program."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.domain.errors import UsageViewerError

if TYPE_CHECKING:
    from usage_viewer.app.profile.profile import Demo, Profile

MakeProfile = Callable[[Organization], "Profile"]
EraseAll = Callable[[], list[UsageViewerError]]
"""Erases all keys, data and settings; returns the errors of what could not be removed. Raises StoreLocked before
anything is removed.
"""


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """Holds the command-line options that decide which data the window opens first."""

    demo: bool = False
    screenshot: Path | None = None
    snapshot: Path | None = None

    @property
    def own_data(self) -> bool:
        """Returns whether the window begins with the user's own data and stays open."""
        return not self.demo and self.screenshot is None and self.snapshot is None


@dataclass(frozen=True, slots=True)
class AppContext:
    """Holds the objects that `__main__` builds once for all parts of the window.

    `profile` is the organization to begin with and `make_profile` builds the profile of any other one. `open_demo`
    starts the demo's server, which takes a moment. `forget_keys` removes the stored keys of the
    organization with an id, which may wait for the keyring. `erase_all` None hides the command that deletes
    everything. `seconds` is a monotonic clock, by which fast changes of one control are one step of the history.
    """

    profile: "Profile"
    paths: ProfilePaths
    make_profile: MakeProfile
    open_demo: "Callable[[], Demo]"
    forget_keys: Callable[[str], None]
    erase_all: EraseAll | None = None
    options: LaunchOptions = LaunchOptions()
    seconds: Callable[[], float] = time.monotonic

    @property
    def settings_path(self) -> Path | None:
        """Returns the settings file; None where this run must not read or change the user's settings."""
        return self.paths.settings if self.options.own_data else None

    @property
    def saved_views_path(self) -> Path | None:
        """Returns the file of saved views; None where this run must not read or change it."""
        return self.paths.saved_views if self.options.own_data else None
