"""Provides the buttons that choose the dataset, the time breakdown and the time zone."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from usage_viewer.domain.catalog import DATASETS, Dataset
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.zones import zone_of
from usage_viewer.gui.bars.zone_popup import LOCAL, ZonePopup, zone_label
from usage_viewer.gui.widgets.dropdown_button import DropdownButton
from usage_viewer.gui.widgets.mnemonics import with_letters
from usage_viewer.gui.widgets.plain_text import shown_menu_text, tip

GRANULARITY_LABELS: Mapping[Granularity, str] = {
    Granularity.MINUTE: "By mi&nute",
    Granularity.HOUR: "By &hour",
    Granularity.DAY: "By &day",
    Granularity.WEEK: "By &week",
    Granularity.MONTH: "By &month",
    Granularity.TOTAL: "&Total",
}
"""Menu texts, with mnemonics."""

MAX_RECENT_ZONES = 5


class MenuChoice(DropdownButton):
    """Opens a menu with a few choices, one of which is checked. Base of `DatasetChoice` and `GranularityChoice`."""

    def __init__(self, parent: QWidget | None, *, name: str, shortcut: str) -> None:
        super().__init__(parent, name=name, shortcut=shortcut)
        self._view = ViewState()
        self._actions: dict[str, QAction] = {}
        self._menu = QMenu(self)
        self._menu.setAccessibleName(name)
        self._menu.setToolTipsVisible(True)
        self._group = QActionGroup(self)
        self.clicked.connect(self.open_menu)

    @property
    def menu_actions(self) -> Mapping[str, QAction]:
        """Return the action of each choice, by key (a dataset's name or a granularity)."""
        return self._actions

    def open_menu(self) -> None:
        """Open the menu under the button, with the keyboard on the checked choice."""
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))
        checked = self._group.checkedAction()
        if checked is not None:
            self._menu.setActiveAction(checked)

    def _add(self, key: str, text: str) -> None:
        """Add a choice to the menu."""
        action = QAction(text, self._menu, checkable=True)
        action.triggered.connect(lambda: self._on_triggered(key))
        self._group.addAction(action)
        self._menu.addAction(action)
        self._actions[key] = action

    def _on_triggered(self, key: str) -> None:
        self.show_view(self._view)  # the check mark follows the view, not the click
        self._choose(key)

    def _choose(self, key: str) -> None:
        """Request the choice with this key. Subclasses implement this method."""
        raise NotImplementedError

    def show_view(self, view: ViewState) -> None:
        """Show the choice of a view. Subclasses implement this method."""
        raise NotImplementedError

    def _set_unavailable(self, key: str, reason: str) -> None:
        """Disable a choice and show the reason in its tooltip; an empty reason enables the choice."""
        action = self._actions[key]
        action.setEnabled(not reason)
        action.setToolTip(tip(reason))
        action.setStatusTip(reason)


class GranularityChoice(MenuChoice):
    """Chooses the time breakdown: a row per minute, hour, day, week or month, or one total of the range."""

    view_requested = Signal(object)  # ViewState

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, name="Time breakdown", shortcut="Alt+P")
        self.reserve(shown_menu_text(label) for label in GRANULARITY_LABELS.values())
        for granularity, label in GRANULARITY_LABELS.items():
            if granularity is Granularity.TOTAL:
                self._menu.addSeparator()
            self._add(granularity, label)

    def _choose(self, key: str) -> None:
        view = self._view.with_per(Granularity(key))
        if view != self._view:
            self.view_requested.emit(view)

    def show_view(self, view: ViewState) -> None:
        """Show the granularity of a view; granularities that its dataset does not have are disabled."""
        self._view = view
        for granularity in GRANULARITY_LABELS:
            self._set_unavailable(granularity, _unavailable_reason(view.dataset, granularity))
        self._show(view.per)

    def show_adjusted_view(self, view: ViewState) -> None:
        """Show the granularity of an adjusted view, which may be coarser than the requested one."""
        self._show(view.per)

    def _show(self, granularity: Granularity) -> None:
        self._actions[granularity].setChecked(True)
        prefix, _, choice = shown_menu_text(GRANULARITY_LABELS[granularity]).rpartition(" ")
        self.show_choice(choice, prefix=prefix)


def _unavailable_reason(dataset: Dataset, granularity: Granularity) -> str:
    """Return why a dataset cannot be shown in this granularity; empty if it can."""
    widths = {Granularity.MINUTE: BucketWidth.MINUTE, Granularity.HOUR: BucketWidth.HOUR}
    needed, finest = widths.get(granularity), dataset.finest
    if needed is None or finest.seconds <= needed.seconds:
        return ""
    return f"{dataset.label} are only available by {finest.noun}."


class DatasetChoice(MenuChoice):
    """Chooses the dataset: completions, costs, and so on."""

    dataset_chosen = Signal(str)  # its name

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, name="Dataset", shortcut="Alt+D")
        self.reserve(dataset.label for dataset in DATASETS.values())
        for name, text in zip(
            DATASETS, with_letters([dataset.label for dataset in DATASETS.values()]), strict=True
        ):
            self._add(name, text)

    def _choose(self, key: str) -> None:
        if key != self._view.dataset_name:
            self.dataset_chosen.emit(key)

    def show_view(self, view: ViewState) -> None:
        """Show the dataset of a view."""
        self._view = view
        self._actions[view.dataset_name].setChecked(True)
        self.show_choice(view.dataset.label)

    def set_unavailable(self, reasons: Mapping[str, str]) -> None:
        """Disable the datasets that this organization cannot read, by name with the reason; enable all others."""
        for name in self._actions:
            self._set_unavailable(name, reasons.get(name, ""))


_LONG_ZONE = "America/New_York"
"""Longer names than this are cut."""


class ZoneChoice(DropdownButton):
    """Chooses the time zone: UTC, local time or any other. `recent` zones are listed first, the newest on top."""

    view_requested = Signal(object)  # ViewState

    def __init__(self, parent: QWidget | None = None, *, recent: Sequence[str] = ()) -> None:
        super().__init__(parent, name="Time zone", shortcut="Alt+Z")
        self._view = ViewState()
        self.recent = tuple(recent)[:MAX_RECENT_ZONES]
        local = zone_of(LOCAL)
        self._popup = ZonePopup(self, local.key if isinstance(local, ZoneInfo) else "")
        self._popup.chosen.connect(self._on_chosen)
        self.reserve(
            (zone_label(zone, self._popup.local_zone) for zone in ("UTC", LOCAL, _LONG_ZONE)), at_most=True
        )
        self.clicked.connect(self.open_popup)

    @property
    def popup(self) -> ZonePopup:
        """Return the list of zones."""
        return self._popup

    def open_popup(self) -> None:
        """Open the list of zones under the button."""
        self._popup.show_zones(self._view.zone, self.recent)
        self._popup.open_under(self)

    def show_view(self, view: ViewState) -> None:
        """Show the time zone of a view."""
        self._view = view
        self.show_adjusted_view(view)

    def show_adjusted_view(self, view: ViewState) -> None:
        """Show the time zone of an adjusted view, which may be UTC instead of the requested one."""
        self.show_choice(zone_label(view.zone, self._popup.local_zone))

    def _on_chosen(self, zone: str) -> None:
        if zone not in ("UTC", LOCAL):
            self.recent = (zone, *(other for other in self.recent if other != zone))[:MAX_RECENT_ZONES]
        if zone != self._view.zone:
            self.view_requested.emit(self._view.with_zone(zone))
