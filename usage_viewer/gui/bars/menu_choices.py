"""The choices of dataset, period and zone."""

from collections.abc import Callable, Mapping, Sequence
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
from usage_viewer.gui.widgets.plain_text import menu_text, tip

PER_LABELS: Mapping[Granularity, str] = {
    Granularity.MINUTE: "Minute",
    Granularity.HOUR: "Hour",
    Granularity.DAY: "Day",
    Granularity.WEEK: "Week",
    Granularity.MONTH: "Month",
    Granularity.TOTAL: "Whole range",
}
RECENT = 5


class MenuChoice(DropdownButton):
    """A choice of one out of few, in a menu."""

    view_requested = Signal(object)

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
        return self._actions

    def open_menu(self) -> None:
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))
        checked = self._group.checkedAction()
        if checked is not None:
            self._menu.setActiveAction(checked)

    def _add(self, key: str, text: str, choose: Callable[[], ViewState]) -> None:
        action = QAction(text, self._menu, checkable=True)
        action.triggered.connect(lambda: self._request(choose()))
        self._group.addAction(action)
        self._menu.addAction(action)
        self._actions[key] = action

    def _request(self, view: ViewState) -> None:
        self.show_view(self._view)  # the check mark follows the view, not the click
        if view != self._view:
            self.view_requested.emit(view)

    def show_view(self, view: ViewState) -> None:
        raise NotImplementedError

    def _refuse(self, key: str, reason: str) -> None:
        """Greyed with its reason, or offered again where there is none."""
        action = self._actions[key]
        action.setEnabled(not reason)
        action.setToolTip(tip(reason))
        action.setStatusTip(reason)


class PerChoice(MenuChoice):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, name="Period of a row", shortcut="Alt+P")
        for number, (per, label) in enumerate(PER_LABELS.items(), start=1):
            text = {Granularity.MINUTE: "Mi&nute", Granularity.TOTAL: "Whole &range"}.get(per, f"&{label}")
            self._add(per, text, lambda per=per: self._view.with_per(per))  # type: ignore[misc]
            if number == len(PER_LABELS) - 1:
                self._menu.addSeparator()

    def show_view(self, view: ViewState) -> None:
        self._view = view
        for per in PER_LABELS:
            self._refuse(per, _why_not(view.dataset, per))
        self._actions[view.per].setChecked(True)
        self._show(view.per)

    def show_answered(self, view: ViewState) -> None:
        """`view`: what is shown, where that can't be what was asked for."""
        self._actions[view.per].setChecked(True)
        self._show(view.per)

    def _show(self, per: Granularity) -> None:
        self.show_choice(PER_LABELS[per], prefix="" if per is Granularity.TOTAL else "per")


def _why_not(data: Dataset, per: Granularity) -> str:
    """Why a dataset can't be shown by this period; empty where it can."""
    wanted, finest = (
        {Granularity.MINUTE: BucketWidth.MINUTE, Granularity.HOUR: BucketWidth.HOUR}.get(per),
        data.finest,
    )
    if wanted is None or finest.seconds <= wanted.seconds:
        return ""
    return f"{data.label} come by the {finest.noun} only."


class DatasetChoice(MenuChoice):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, name="Dataset", shortcut="Alt+D")
        for name, data in DATASETS.items():
            self._add(name, menu_text(data.label), lambda name=name: self._view.with_dataset(name))  # type: ignore[misc]

    def show_view(self, view: ViewState) -> None:
        self._view = view
        self._actions[view.dataset_name].setChecked(True)
        self.show_choice(view.dataset.label)

    def set_unavailable(self, reasons: Mapping[str, str]) -> None:
        """Datasets that this organization doesn't offer, with the reason; all others are offered."""
        for name in self._actions:
            self._refuse(name, reasons.get(name, ""))


class ZoneChoice(DropdownButton):
    """UTC, this computer's zone, or any other; those chosen last stand on top."""

    view_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None, *, recent: Sequence[str] = ()) -> None:
        super().__init__(parent, name="Time zone", shortcut="Alt+Z")
        self._view = ViewState()
        self.recent = tuple(recent)[:RECENT]
        here = zone_of(LOCAL)
        self._popup = ZonePopup(self, here.key if isinstance(here, ZoneInfo) else "")
        self._popup.chosen.connect(self._on_chosen)
        self.clicked.connect(self.open_popup)

    @property
    def popup(self) -> ZonePopup:
        return self._popup

    def open_popup(self) -> None:
        self._popup.show_zones(self._view.zone, self.recent)
        self._popup.open_under(self)

    def show_view(self, view: ViewState) -> None:
        self._view = view
        self.show_choice(zone_label(view.zone, self._popup.here))

    def show_answered(self, view: ViewState) -> None:
        """`view`: what is shown, where that can't be in the zone that was asked for."""
        self.show_choice(zone_label(view.zone, self._popup.here))

    def _on_chosen(self, zone: str) -> None:
        if zone not in ("UTC", LOCAL):
            self.recent = (zone, *(other for other in self.recent if other != zone))[:RECENT]
        if zone != self._view.zone:
            self.view_requested.emit(self._view.with_zone(zone))
