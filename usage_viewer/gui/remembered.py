"""What the window remembers of how it is used: read at its start, written a moment after each change."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QTimer

from usage_viewer.app import settings as stored
from usage_viewer.app.settings import ColourScheme, ProfileSettings, Settings
from usage_viewer.domain.errors import StoreNotWritable
from usage_viewer.domain.view import FIRST_VIEW, ViewState

WRITE_AFTER = 800
"""Milliseconds of quiet before the file is written."""


class Remembered(QObject):
    """`path` None remembers nothing beyond this run. `on_error` hears, once, that the file can't be written."""

    def __init__(
        self, path: Path | None, on_error: Callable[[StoreNotWritable], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._path, self._on_error = path, on_error
        self.settings = Settings() if path is None else stored.load(path)
        self._profile = "default"
        self._later = QTimer(self, singleShot=True, interval=WRITE_AFTER)
        self._later.timeout.connect(self.write)

    def use_profile(self, name: str) -> ViewState:
        """From now on it is this profile's looks that are remembered; returns the view that it had last."""
        self._profile = name
        return self.profile.view if name in self.settings.profiles else FIRST_VIEW

    @property
    def profile(self) -> ProfileSettings:
        return self.settings.profile(self._profile)

    def view(self, view: ViewState) -> None:
        """The view, and with it the columns chosen for its dataset; a search is not kept."""
        columns = dict(self.profile.columns)
        if view.columns:
            columns[view.dataset] = view.columns
        else:
            columns.pop(view.dataset, None)
        self._change_profile(replace(self.profile, view=view.with_search(""), columns=columns))
        if view.zone not in ("UTC", "local"):
            self._change(self.settings.with_zone(view.zone))

    def widths(self, widths: dict[str, int]) -> None:
        self._change_profile(replace(self.profile, widths={**self.profile.widths, **widths}))

    def looks(self, *, bars: bool, abbreviated: bool, scheme: str) -> None:
        self._change(
            replace(self.settings, bars=bars, abbreviated=abbreviated, colour_scheme=ColourScheme(scheme))
        )

    def geometry(self, geometry: QByteArray) -> None:
        self._change(replace(self.settings, geometry=geometry.toBase64().toStdString()))

    def _change_profile(self, profile: ProfileSettings) -> None:
        self._change(self.settings.with_profile(self._profile, profile))

    def _change(self, settings: Settings) -> None:
        if settings != self.settings:
            self.settings = settings
            self._later.start()

    def write(self) -> None:
        """Now, if there is something to write."""
        self._later.stop()
        if self._path is None:
            return
        try:
            stored.save(self._path, self.settings)
        except StoreNotWritable as error:
            self._path = None
            self._on_error(error)
