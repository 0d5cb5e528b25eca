"""What the window remembers of how it is used: read at its start, written a moment after each change."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QTimer

from usage_viewer.app.profile.organizations import Organizations
from usage_viewer.app.settings import settings as stored
from usage_viewer.app.settings.settings import ColourScheme, ProfileSettings, Settings
from usage_viewer.domain.errors import StoreNotWritable
from usage_viewer.domain.view import FIRST_VIEW, ViewState

WRITE_AFTER = 800
"""Milliseconds of quiet before the file is written."""


class SettingsController(QObject):
    """`path` None remembers nothing beyond this run. `on_error` hears, once, that the file can't be written."""

    def __init__(
        self, path: Path | None, on_error: Callable[[StoreNotWritable], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._path, self._on_error = path, on_error
        self._paused = False
        self.settings = Settings() if path is None else stored.load(path)
        self._profile = "default"
        self._later = QTimer(self, singleShot=True, interval=WRITE_AFTER)
        self._later.timeout.connect(self.write)

    def use_profile(self, name: str, across: tuple[str, ...] = ()) -> ViewState:
        """From now on it is this profile's looks that are remembered; returns the view that it had last, across
        these organizations.
        """
        self._profile = name
        view = self.profile.view if name in self.settings.profiles else FIRST_VIEW
        return view.across(across)

    @property
    def profile(self) -> ProfileSettings:
        return self.settings.profile(self._profile)

    def view(self, view: ViewState) -> None:
        """The view, and with it the columns chosen for its dataset; a search is not kept."""
        columns = dict(self.profile.columns)
        if view.columns:
            columns[view.dataset_name] = view.columns
        else:
            columns.pop(view.dataset_name, None)
        self._change_profile(replace(self.profile, view=view.with_search(""), columns=columns))
        if view.zone not in ("UTC", "local"):
            self._change(self.settings.with_zone(view.zone))

    def widths(self, widths: dict[str, int]) -> None:
        self._change_profile(replace(self.profile, widths={**self.profile.widths, **widths}))

    def looks(self, *, bars: bool, abbreviated: bool, scheme: str) -> None:
        self._change(replace(self.settings, bars=bars, abbreviated=abbreviated, colour_scheme=ColourScheme(scheme)))

    def organizations(self, listed: Organizations) -> None:
        """The list; of those that are gone nothing is remembered."""
        gone = {one.id for one in self.settings.organizations} - {one.id for one in listed}
        profiles = {name: one for name, one in self.settings.profiles.items() if name not in gone}
        self._change(replace(self.settings, organizations=listed, profiles=profiles))

    def organization(self, id: str) -> None:
        """The one that is looked at."""
        self._change(replace(self.settings, organization=id))

    def combined(self, ids: tuple[str, ...]) -> None:
        """Those that are looked at together."""
        self._change(replace(self.settings, combined=ids))

    def geometry(self, geometry: QByteArray) -> None:
        self._change(replace(self.settings, geometry=geometry.toBase64().toStdString()))

    def _change_profile(self, profile: ProfileSettings) -> None:
        self._change(self.settings.with_profile(self._profile, profile))

    def _change(self, settings: Settings) -> None:
        if settings != self.settings:
            self.settings = settings
            self._later.start()

    @property
    def paused(self) -> bool:
        return self._paused

    def pause(self) -> None:
        """Nothing is written until `go_on`."""
        self._paused = True

    def go_on(self) -> None:
        self._paused = False

    def write(self) -> None:
        """Now, if there is something to write."""
        self._later.stop()
        if self._path is None or self._paused:
            return
        try:
            stored.save(self._path, self.settings)
        except StoreNotWritable as error:
            self._path = None
            self._on_error(error)
