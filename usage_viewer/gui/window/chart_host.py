"""Loads the chart when it is first needed, after the table is painted, and remembers whether it is shown."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QLayout

from usage_viewer.gui.clipboard.copy_controller import proposed_name
from usage_viewer.gui.widgets.announcer import Announcer
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.settings_controller import SettingsController
from usage_viewer.gui.workspace.tasks import Tasks
from usage_viewer.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from usage_viewer.gui.chart.chart_controller import ChartController
    from usage_viewer.gui.chart.chart_saving import ChartSaving


class ChartHost(QObject):
    """Connects the commands of the chart; `controller` and `saving` are None until the chart is first shown."""

    failed = Signal(object)  # UsageViewerError
    loaded = Signal()

    def __init__(
        self,
        workspace: Workspace,
        tasks: Tasks,
        page: MainPage,
        actions: Actions,
        settings: SettingsController,
        announcer: Announcer,
    ) -> None:
        super().__init__(page)
        self._workspace, self._tasks, self._page = workspace, tasks, page
        self._actions, self._settings, self._announcer = actions, settings, announcer
        self.controller: ChartController | None = None
        self.saving: ChartSaving | None = None
        self.pending = False  # the chart is about to be loaded
        actions.chart.setChecked(settings.current.chart)
        actions.chart.toggled.connect(self._on_toggled)
        for action, what in (
            (actions.copy_chart, "copy"),
            (actions.save_chart, "save"),
            (actions.print_chart, "print"),
        ):
            connect(action, partial(self._export, what))
        page.splitter.height_chosen.connect(lambda height: settings.save_chart(self._shown, height))
        page.splitter.room_changed.connect(self._follow)
        workspace.shown.connect(self._follow)
        self._place_chart()

    @property
    def _shown(self) -> bool:
        return self._actions.chart.isChecked()

    def _on_toggled(self, shown: bool) -> None:
        self._settings.save_chart(shown, self._settings.current.chart_height)
        controls = () if self.controller is None else self.controller.pane.controls
        if not shown and any(widget.hasFocus() for widget in controls):
            self._page.focus_table()  # Qt would give the focus to a button
        self._place_chart()
        if shown and not self._page.splitter.has_room:
            self._page.status.show_message("The chart appears when the window is higher.")

    def _place_chart(self) -> None:
        self._page.splitter.show_chart(self._shown, self._settings.current.chart_height)

    def _follow(self) -> None:
        """Load the chart when its place is first visible and has something to show; rest while it is hidden."""
        visible = self._shown and not self._page.splitter.place.isHidden()
        if self.controller is not None:
            if self.controller.active != visible:
                self.controller.set_active(visible)
        elif visible and not self.pending and self._workspace.last is not None:
            self.pending = True
            QTimer.singleShot(0, self, self._paint_and_load)

    def _paint_and_load(self) -> None:
        """Paint the table at once, then load the chart: Qt would paint after the next timers."""
        self._page.repaint()
        QTimer.singleShot(0, self, self._load)

    def _load(self) -> None:
        from usage_viewer.gui.chart.chart_controller import ChartController
        from usage_viewer.gui.chart.chart_pane import ChartPane
        from usage_viewer.gui.chart.chart_saving import ChartSaving

        self.pending = False
        pane = ChartPane(self._page.splitter.place)
        layout = self._page.splitter.place.layout()
        assert isinstance(layout, QLayout)
        layout.addWidget(pane)
        pane.show()
        QTimer.singleShot(0, pane, lambda: self._page.put_in_tab_order(*pane.controls))
        self.controller = controller = ChartController(self._workspace, self._tasks, pane)
        controller.reported.connect(self._page.status.show_message)
        controller.said.connect(self._announcer.say)
        controller.reported.connect(self._announcer.say)
        self.saving = ChartSaving(controller, self._workspace, self._tasks, self._page.window(), proposed_name)
        self.saving.done.connect(self._page.status.show_message)
        self.saving.failed.connect(self.failed)
        self.loaded.emit()

    def _export(self, what: str) -> None:
        if self.saving is None:
            self._page.status.show_message("Show the chart first")
        else:
            self.saving.export(what)
