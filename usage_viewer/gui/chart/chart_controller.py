"""Connects the chart with the workspace: draws its results, and changes its view and its selection."""

from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QMenu

from usage_viewer.app.chart import Chart, ChartFace, ChartRequest, charted_figure, load_chart
from usage_viewer.domain.errors import Cancelled, InputError, UsageViewerError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.row_keys import RowKeys
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.chart.chart_emphasis import Place
from usage_viewer.gui.chart.chart_links import filtered_view, opened_view, ranged_view, rows_of, selected_parts
from usage_viewer.gui.chart.chart_pane import ChartPane
from usage_viewer.gui.chart.chart_texts import FAILED, LOADING, NOT_LOADED, ChartTexts
from usage_viewer.gui.workspace.locale_week import week_start
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.tasks import Task, Tasks
from usage_viewer.gui.workspace.workspace import Workspace
from usage_viewer.query.chart_buckets import BucketState, choose_periods
from usage_viewer.query.chart_series import GroupKind

CHANNEL = "chart"
WIDTH_DELAY_MS = 120
"""Milliseconds after the last change of the width until other buckets are chosen for it."""
MANY_SELECTED = 2000
"""Rows up to which the chart selects them in the table."""


class ChartController(QObject):
    """Shows each result of the workspace as a chart while `active`; changes the view by the workspace alone."""

    said = Signal(str)  # for screen readers
    reported = Signal(str)  # for the status bar
    export_requested = Signal(str)  # copy, save or print

    def __init__(self, workspace: Workspace, tasks: Tasks, pane: ChartPane) -> None:
        super().__init__(pane)
        self._workspace, self._tasks, self.pane = workspace, tasks, pane
        self._chosen: tuple[str, str, object] = ("", "", None)  # dataset, figure, order at the time of the choice
        self._last = ("", "")  # dataset and figure that were drawn
        self._face = ChartFace.BARS
        self._has_failed = False
        self._made: list[ViewState] = []  # the views that the chart asked for, to take back
        self._result: SortedResult | None = None
        self.chart: Chart | None = None
        self.active = True
        self._width_timer = QTimer(self, singleShot=True, interval=WIDTH_DELAY_MS)
        self._width_timer.timeout.connect(self._on_width_settled)
        self._connect()
        if workspace.last is not None:
            self._on_shown(workspace.last)

    def _connect(self) -> None:
        workspace, pane, view = self._workspace, self.pane, self.pane.view
        workspace.shown.connect(self._on_shown)
        workspace.closed.connect(self._on_closed)
        workspace.selection_changed.connect(self._on_selection)
        workspace.failed.connect(self._on_workspace_failed)
        workspace.fetch.running_changed.connect(self._on_fetching)
        pane.figure_chosen.connect(self._on_figure)
        pane.face_chosen.connect(self._on_face)
        pane.hours_requested.connect(lambda: self._request(workspace.view.with_per(Granularity.HOUR)))
        view.activated.connect(self._on_activated)
        view.opened.connect(self._on_opened)
        view.range_chosen.connect(self._on_range)
        view.selected.connect(self._on_place_selected)
        view.taken_back.connect(self._take_back)
        view.moved.connect(self.said)
        view.menu_requested.connect(self._open_menu)
        view.width_changed.connect(self._width_timer.start)

    @property
    def face(self) -> ChartFace:
        """Returns the form that is asked for."""
        return self._face

    def set_active(self, active: bool) -> None:
        """Start or stop following the workspace; a hidden chart costs nothing."""
        self.active = active
        if not active:
            self._tasks.cancel(CHANNEL)
        elif self._workspace.last is not None:
            self._on_shown(self._workspace.last)

    # What is shown

    def _on_shown(self, result: SortedResult) -> None:
        self._result = result
        session = self._workspace.session
        if session is None or not self.active:
            return
        view = result.look.effective_view.with_order(result.view.order)  # sorting reads nothing anew
        dataset = view.dataset
        request = ChartRequest(
            self._figure_of(view), self._face, self.pane.view.most_buckets, week_start(self.pane.locale())
        )
        self.pane.show_figures([(name, dataset.column(name).label) for name in view.shown_columns], request.figure)

        def work(task: Task) -> Chart:
            return load_chart(session, result.look, request, task.cancellation)

        self._tasks.start(CHANNEL, work, self._on_loaded, self._on_failed)

    def _figure_of(self, view: ViewState) -> str:
        dataset, figure, order = self._chosen
        is_valid = dataset == view.dataset_name and order == view.order
        last = self._last[1] if self._last[0] == view.dataset_name else ""
        self._last = view.dataset_name, charted_figure(view, figure if is_valid else "", last)
        return self._last[1]

    def _on_loaded(self, chart: Chart) -> None:
        self.chart = chart
        self.pane.show_chart(ChartTexts(chart, self.pane.locale(), self._missing()))
        self._on_selection(self._workspace.selection)

    def _on_failed(self, error: UsageViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.chart = None
            self.pane.show_message(f"{error.title}. {error.hint}".strip())

    def _on_closed(self) -> None:
        self._tasks.cancel(CHANNEL)
        self.chart = self._result = None
        self._made.clear()
        self._has_failed = False
        self.pane.show_message("")

    def _missing(self) -> str:
        if self._workspace.fetching:
            return LOADING
        return FAILED if self._has_failed else NOT_LOADED

    def _on_workspace_failed(self, error: UsageViewerError) -> None:
        self._has_failed = True
        self._name_missing_again()

    def _on_fetching(self, fetching: bool) -> None:
        if fetching:
            self._has_failed = False
        self._name_missing_again()

    def _name_missing_again(self) -> None:
        """Replace the reason why buckets are not loaded, if there are any."""
        series = None if self.chart is None else self.chart.series
        if (
            self.chart is not None
            and series is not None
            and (series.buckets.states == BucketState.NOT_LOADED).any()
        ):
            self._on_loaded(self.chart)

    def _on_width_settled(self) -> None:
        """Choose other buckets if the width has room for more or less of them."""
        chart, view = self.chart, self.pane.view
        if chart is None or chart.series is None or self._result is None:
            return
        periods = chart.result.coverage.periods
        first = week_start(self.pane.locale())
        if chart.summed is not None or len(choose_periods(periods, view.most_buckets, first)) != len(periods):
            self._on_shown(self._result)

    def _on_figure(self, name: str) -> None:
        view = self._workspace.view
        self._chosen = (view.dataset_name, name, view.order)
        if self._result is not None:
            self._on_shown(self._result)

    def _on_face(self, face: ChartFace) -> None:
        self._face = face
        self.pane.show_face(face)
        if self._result is not None:
            self._on_shown(self._result)

    # What is done in the chart

    def _request(self, view: ViewState) -> None:
        if view != self._workspace.view:
            self._made.append(view)
            self._workspace.show_view(view)

    def _on_activated(self, place: Place, add: bool) -> None:
        chart = self.chart
        if chart is None or chart.series is None or place.down is None:
            return
        group = chart.series.groups[place.down]
        view = filtered_view(self._workspace.view, chart.series, place.down, add=add)
        if view is not None:
            self._request(view)
        elif group.kind is not GroupKind.TOTAL:
            self.reported.emit(f"No filter can select {group.label}.")

    def _on_opened(self, chart: Chart, bucket: int) -> None:
        view = self._workspace.view
        if self._made and self._made[-1] == view and len(self._made[-1].filters) and self._is_click(chart):
            self._take_back()  # the first of the two clicks has filtered
        try:
            self._request(opened_view(self._workspace.view, chart, bucket))
        except InputError as error:
            self.reported.emit(f"{error.title}. {error.hint}")

    def _is_click(self, chart: Chart) -> bool:
        """Return whether the view was filtered by a click since `chart` was drawn."""
        return chart.result.view.filters != self._workspace.view.filters

    def _on_range(self, first: int, last: int) -> None:
        if self.chart is None or self.chart.series is None:
            return
        try:
            self._request(ranged_view(self._workspace.view, self.chart, first, last))
        except InputError as error:
            self.reported.emit(f"{error.title}. {error.hint}")

    def _take_back(self) -> None:
        """Undo the last change that was made in the chart, unless the view has changed since."""
        while self._made and self._made[-1] != self._workspace.view:
            self._made.pop()
        if self._made:
            self._made.pop()
            self._workspace.go_back()

    # The selection

    def _on_place_selected(self, place: Place) -> None:
        chart, last = self.chart, self._workspace.last
        if chart is None or chart.series is None or last is None:
            return
        keys = rows_of(last.table, chart, place)
        if not keys.parts:
            self.reported.emit("No row of the table shows this part alone.")
        elif len(keys.parts) > MANY_SELECTED:
            self.reported.emit("These are too many rows to select.")
        else:
            self._workspace.select(keys)

    def _on_selection(self, keys: RowKeys) -> None:
        chart = self.chart
        selected = selected_parts(chart, keys) if chart is not None and chart.series is not None else None
        self.pane.view.set_selected(selected)

    # The menu

    def _open_menu(self, place: Place, where: QPoint) -> None:
        chart = self.chart
        if chart is None:
            return
        menu = QMenu(self.pane)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setAccessibleName("Chart")
        if chart.series is not None:
            self._add_place_entries(menu, chart, place)
        for text, what in (("&Copy picture", "copy"), ("&Save picture as…", "save"), ("&Print…", "print")):
            menu.addAction(text).triggered.connect(
                lambda _checked=False, what=what: self.export_requested.emit(what)
            )
        menu.popup(where)

    def _add_place_entries(self, menu: QMenu, chart: Chart, place: Place) -> None:
        series = chart.series
        assert series is not None
        if place.down is not None and filtered_view(self._workspace.view, series, place.down) is not None:
            add = menu.addAction("&Filter to this")
            add.triggered.connect(lambda: self._on_activated(place, False))
        bucket = place.across
        if bucket is not None:
            show = menu.addAction("Sho&w this period alone")
            show.triggered.connect(lambda: self._on_opened(chart, bucket))
        if place != Place():
            menu.addAction("Select the &rows").triggered.connect(lambda: self._on_place_selected(place))
            menu.addSeparator()
