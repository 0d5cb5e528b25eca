"""Reads the settings when the window starts and writes them a moment after each change."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QTimer, Signal

from usage_viewer.app.profile.organizations import Organizations
from usage_viewer.app.settings import settings as stored
from usage_viewer.app.settings.settings import ColourScheme, ProfileSettings, Settings
from usage_viewer.domain.errors import StoreNotWritable
from usage_viewer.domain.view import FIRST_VIEW, ViewState

WRITE_DELAY_MS = 800
"""Milliseconds without another change after which the file is written."""


class SettingsController(QObject):
    """Changes the settings record `current`; with `path` None nothing is read or written."""

    write_failed = Signal(object)  # StoreNotWritable, at most once

    def __init__(self, path: Path | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._paused = False
        self.current = Settings() if path is None else stored.load(path)
        self._profile_name = "default"
        self._write_timer = QTimer(self, singleShot=True, interval=WRITE_DELAY_MS)
        self._write_timer.timeout.connect(self.write)

    @property
    def profile(self) -> ProfileSettings:
        """Returns the settings of the profile in use."""
        return self.current.profiles.get(self._profile_name) or ProfileSettings(view=FIRST_VIEW)

    def use_profile(self, name: str, across: tuple[str, ...] = ()) -> ViewState:
        """Store views and widths for this profile from now on; return its last view.

        `across` are the ids of the organizations that a combined view adds up.
        """
        self._profile_name = name
        return self.profile.view.across(across)

    def forget_views(self) -> None:
        """Drop the views of all datasets of the profile in use."""
        self._change_profile(replace(self.profile, views={}))

    def save_view(self, view: ViewState) -> None:
        """Store the view without its search, as the last one and as that of its dataset."""
        view = view.with_search("")
        views = {**self.profile.views, view.dataset_name: view}
        self._change_profile(replace(self.profile, view=view, views=views))
        if view.zone not in ("UTC", "local"):
            self._change(self.current.with_zone(view.zone))

    def save_widths(self, widths: dict[str, int]) -> None:
        """Store the widths (pixels) of columns by name."""
        self._change_profile(replace(self.profile, widths={**self.profile.widths, **widths}))

    def save_appearance(self, *, bars: bool, abbreviated: bool, scheme: str) -> None:
        """Store the appearance of figures and colours."""
        self._change(replace(self.current, bars=bars, abbreviated=abbreviated, colour_scheme=ColourScheme(scheme)))

    def save_chart(self, shown: bool, height: int) -> None:
        """Store whether the chart is shown, and its height (pixels; 0: as usual)."""
        self._change(replace(self.current, chart=shown, chart_height=height))

    def save_organizations(self, organizations: Organizations) -> None:
        """Store the list and drop the settings of organizations that are no longer in it."""
        removed = {item.id for item in self.current.organizations} - {item.id for item in organizations}
        profiles = {name: profile for name, profile in self.current.profiles.items() if name not in removed}
        self._change(replace(self.current, organizations=organizations, profiles=profiles))

    def save_organization(self, id: str) -> None:
        """Store which organization the next start opens."""
        self._change(replace(self.current, organization=id))

    def save_combined(self, ids: tuple[str, ...]) -> None:
        """Store which organizations were combined last."""
        self._change(replace(self.current, combined=ids))

    def save_geometry(self, geometry: QByteArray) -> None:
        """Store the window's size and position."""
        self._change(replace(self.current, geometry=geometry.toBase64().toStdString()))

    def _change_profile(self, profile: ProfileSettings) -> None:
        if profile != self.profile:
            self._change(self.current.with_profile(self._profile_name, profile))

    def _change(self, settings: Settings) -> None:
        if settings != self.current:
            self.current = settings
            self._write_timer.start()

    @property
    def paused(self) -> bool:
        """Returns whether writing is paused."""
        return self._paused

    def pause(self) -> None:
        """Write nothing until `resume`."""
        self._paused = True

    def resume(self) -> None:
        """Allow writing again."""
        self._paused = False

    def write(self) -> None:
        """Write the settings now, if they may be written."""
        self._write_timer.stop()
        if self._path is None or self._paused:
            return
        try:
            stored.save(self._path, self.current)
        except StoreNotWritable as error:
            self._path = None
            self.write_failed.emit(error)
