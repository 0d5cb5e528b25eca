"""Lays out the page with the bars, the table, its totals and the status bar."""

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.bars.compare_choice import CompareChoice
from usage_viewer.gui.bars.filter_bar import FilterBar
from usage_viewer.gui.bars.grouping_bar import GroupingBar
from usage_viewer.gui.bars.menu_choices import DatasetChoice, GranularityChoice, ZoneChoice
from usage_viewer.gui.bars.organization_button import OrganizationButton
from usage_viewer.gui.bars.pivot_choice import PivotChoice
from usage_viewer.gui.bars.range_picker import RangePicker
from usage_viewer.gui.table.columns_menu import ColumnsMenu
from usage_viewer.gui.table.selection_sync import SelectionSync
from usage_viewer.gui.table.table_pane import TablePane
from usage_viewer.gui.widgets.dropdown_button import DropdownButton
from usage_viewer.gui.widgets.icons import icon
from usage_viewer.gui.widgets.plain_text import shown_menu_text
from usage_viewer.gui.widgets.popup import activate_first, open_menu, position_under
from usage_viewer.gui.widgets.strip import Strip
from usage_viewer.gui.widgets.theme import UNIT, note_colour, warning_colour
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.chart_splitter import ChartSplitter
from usage_viewer.gui.window.empty_state import EmptyState
from usage_viewer.gui.window.error_banner import ErrorBanner
from usage_viewer.gui.window.notice_bar import NoticeBar
from usage_viewer.gui.window.status_bar import StatusBar
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.workspace import Workspace

MENU_KEY = "Alt+O"
VIEWS_KEY = "Alt+V"
WIDE = 120 * UNIT
"""Pixels of the page from which on *Columns* has its text."""
WIDEST = 168 * UNIT
"""Pixels of the page from which on *Views* has its text too."""
NO_LEVEL = "This row can't be divided further. Shift+Enter lists its records."
STOPPED = "Stopped. Press Refresh (F5) to load the rest."


class MainPage(QWidget):
    """Connects its parts with the workspace: each requests views and shows the view that it is given."""

    back_clicked = Signal()  # the mouse's button for it
    forward_clicked = Signal()

    def __init__(self, workspace: Workspace, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._actions = workspace, actions
        self._origin = self._origin_range = ""
        self.organization = OrganizationButton(self)
        self.dataset = DatasetChoice(self)
        self.range = RangePicker(self)
        self.compare = CompareChoice(self)
        self.per = GranularityChoice(self)
        self.zone = ZoneChoice(self)
        # Built in the order of Tab: from left to right and from top to bottom.
        self._buttons = {
            "views": self._views_button(),
            "columns": self._button(self._actions.columns, text=True),
            "refresh": self._button(self._actions.refresh),
            "copy": self._button(self._actions.copy, text=True),
            "more": self._menu_button(),
        }
        self.grouping = GroupingBar(self)
        self.pivot = PivotChoice(lambda: workspace.now, self)
        self.filters = FilterBar(workspace.values, lambda: workspace.names, self)
        self.snapshot = Strip(note_colour, self)
        self.banner = ErrorBanner(self)
        self.incomplete = Strip(warning_colour, self)
        self.notes = NoticeBar(self)
        self.pane = TablePane(parent=self)
        self.model, self.table, self.totals = self.pane.model, self.pane.table, self.pane.totals
        self.empty = EmptyState(self)
        self._selection_sync = SelectionSync(self.table, workspace)
        self.status = StatusBar(self)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(UNIT // 2)
        for choice in (self.organization, self.dataset, self.range, self.compare, self.per, self.zone):
            top.addWidget(choice)
        top.addStretch(1)
        for button in self._buttons.values():
            top.addWidget(button)
        self._draw_icons()
        bars = QVBoxLayout()
        bars.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        bars.setSpacing(UNIT)
        bars.addLayout(top)
        rows_and_columns = QHBoxLayout()
        rows_and_columns.setSpacing(UNIT)
        rows_and_columns.addWidget(self.grouping, 1)
        rows_and_columns.addWidget(self.pivot, 0, Qt.AlignmentFlag.AlignTop)
        bars.addLayout(rows_and_columns)
        bars.addWidget(self.filters)
        below = QWidget(self)
        place = QGridLayout(below)  # of both: the text lies above a table without rows
        place.setContentsMargins(0, 0, 0, 0)
        place.addWidget(self.pane, 0, 0)
        place.addWidget(self.empty, 0, 0)
        self.empty.raise_()
        self.empty.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bars)
        for strip in (self.snapshot, self.banner, self.incomplete):
            column.addWidget(strip)
        column.addWidget(self.notes)
        self.splitter = ChartSplitter(below, self)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.status)

    def _button(self, action: QAction, *, text: bool = False) -> QToolButton:
        button = QToolButton(self, autoRaise=True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click, Space and letters still go to the table
        button.setDefaultAction(action)
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)

        def follow() -> None:
            button.setToolTip(f"{action.toolTip()} ({keys})" if keys else action.toolTip())
            button.setAccessibleName(shown_menu_text(action.text()))
            if action is self._actions.copy:
                # Its neighbours stay where they are when the text becomes shorter.
                button.setMinimumWidth(max(button.minimumWidth(), button.sizeHint().width()))

        action.changed.connect(follow)  # Qt shows the action's own tooltip otherwise
        style = Qt.ToolButtonStyle
        button.setToolButtonStyle(style.ToolButtonTextBesideIcon if text else style.ToolButtonIconOnly)
        follow()
        return button

    def _menu_button(self) -> QToolButton:
        button = QToolButton(self, autoRaise=True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.menu = menu = self._actions.menu(button)
        menu.triggered.connect(self.focus_table)  # a menu button would take what is typed after the command
        menu.setAccessibleName("More")
        menu.aboutToShow.connect(lambda: QTimer.singleShot(0, menu, lambda: activate_first(menu)))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setShortcut(MENU_KEY)
        button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        button.setToolTip(f"More: copies, files, appearance, key, help ({MENU_KEY})")
        button.setAccessibleName("More")
        return button

    def _views_button(self) -> QToolButton:
        button = QToolButton(self, autoRaise=True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setText("Views")
        button.setShortcut(VIEWS_KEY)
        button.setToolTip(f"Saved views: show one, save this one, edit them ({VIEWS_KEY})")
        button.setAccessibleName("Saved views")
        menu = self._actions.saved_views
        menu.setAccessibleName("Saved views")
        menu.triggered.connect(self.focus_table)

        def open_views() -> None:
            size = menu.sizeHint()
            open_menu(menu, position_under(button, size.width(), size.height()))

        button.clicked.connect(lambda _checked=False: open_views())
        return button

    def _draw_icons(self) -> None:
        self._actions.refresh.setIcon(icon("refresh", self))
        self._actions.columns.setIcon(icon("columns", self))
        self._buttons["views"].setIcon(icon("views", self))
        self._actions.copy.setIcon(icon("copy", self))
        self._buttons["more"].setIcon(icon("more", self))

    def changeEvent(self, event: QEvent) -> None:
        """Draws the icons in the colours of another palette."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_buttons"):
            self._draw_icons()

    def _connect(self) -> None:
        workspace = self._workspace
        controls = (self.compare, self.per, self.zone, self.grouping, self.pivot, self.filters, self.table)
        for part in (self.range, *controls):
            part.view_requested.connect(workspace.show_view)
        connect(self._actions.columns, self._choose_columns)
        self._actions.include_empty.triggered.connect(
            lambda include: workspace.show_view(workspace.view.with_empty_rows(include))
        )
        self.status.cancel_requested.connect(workspace.cancel)
        self.banner.changed.connect(self._update_empty)
        workspace.view_changed.connect(self.show_view)
        workspace.shown.connect(self.show_result)
        self.table.drill_refused.connect(lambda: self.status.show_message(NO_LEVEL))
        workspace.table_place = self.table.place
        workspace.place_returned.connect(self.pane.go_to)
        workspace.fetch.progressed.connect(self.status.show_progress)
        workspace.fetch.running_changed.connect(self._on_fetching)
        workspace.fetch.stopped.connect(lambda: self.status.show_message(STOPPED))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out the texts of *Views* and *Columns* where the choices before it need the room."""
        super().resizeEvent(event)
        style = Qt.ToolButtonStyle
        for name, least in (("columns", WIDE), ("views", WIDEST)):
            has_text = event.size().width() >= least
            self._buttons[name].setToolButtonStyle(
                style.ToolButtonTextBesideIcon if has_text else style.ToolButtonIconOnly
            )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go back or forward with the side buttons of the mouse, which no part of the page uses."""
        if event.button() == Qt.MouseButton.BackButton:
            self.back_clicked.emit()
        elif event.button() == Qt.MouseButton.ForwardButton:
            self.forward_clicked.emit()
        else:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take a second fast click of a side button as a click."""
        self.mousePressEvent(event)

    def _choose_columns(self) -> None:
        """Open the checklist of figures under its button; it stays open while entries are checked."""
        button = self._buttons["columns"]
        menu = ColumnsMenu(self._workspace.view, self._workspace.show_view, button, self.table.choice)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setAccessibleName("Columns")
        menu.aboutToHide.connect(self.focus_table)
        open_menu(menu, position_under(button, menu.sizeHint().width(), menu.sizeHint().height()))
        menu.activate_first_figure()

    def show_view(self, view: ViewState) -> None:
        """Show a requested view in the controls at once; the table follows with its result."""
        self.dataset.show_view(view)
        self.range.show_view(view, self._workspace.now)
        for part in (self.compare, self.per, self.zone, self.grouping, self.pivot, self.filters, self.table):
            part.show_view(view)
        self._actions.clear_filters.setEnabled(view.filtered)
        self._actions.include_empty.setChecked(view.include_empty)

    def show_result(self, result: SortedResult) -> None:
        """Show a result in the table, and in the controls the view as its dataset supports it."""
        look = result.look
        refused = dict.fromkeys(look.unavailable_dimensions, "Not available for this organization")
        self.grouping.show_view(self._workspace.view, refused)
        self.pivot.show_view(self._workspace.view, refused)
        self.range.show_adjusted_view(look.effective_view)
        self.per.show_adjusted_view(look.effective_view)
        self.zone.show_adjusted_view(look.effective_view)
        self.table.extras = look.extras
        self.table.not_granted = look.unavailable_dimensions
        self.table.span = look.coverage.periods.span
        self.notes.set_notice("view", "\n".join(look.notes))
        self._show_unavailable()
        note = "" if look.coverage.complete else look.coverage.summary
        self.pane.set_table(result.table, result.rows, result.view, note, look.statuses)
        profile = self._workspace.profile
        self.status.show_coverage(look.coverage, profile.clock_note if profile is not None else "")
        self._show_empty(result)

    def focus_table(self) -> None:
        """Move the keyboard focus to the table; to none of the controls while the table is hidden."""
        (self if self.pane.isHidden() else self.table).setFocus()

    def put_in_tab_order(self, *widgets: QWidget) -> None:
        """Let Tab go to widgets that were built later, in their order, before the table."""
        before = self.table.previousInFocusChain()
        while before is not None and not before.focusPolicy() & Qt.FocusPolicy.TabFocus:
            before = before.previousInFocusChain()
        for first, second in pairwise((before, *widgets) if before is not None else widgets):
            self.setTabOrder(first, second)

    def _show_table(self, shown: bool, *, under_text: bool = False) -> None:
        """Show the table, or the text in its place.

        With `under_text` the table, which has no rows, stays under the text and keeps its focus: a fetch moves no
        focus. Otherwise it is hidden and the page has its focus: Qt would give it to a button, which takes what is
        typed.
        """
        focused = self.window().focusWidget() in (None, self, self.table)
        keeps_table = shown or under_text
        if focused and not keeps_table:
            self.setFocus()
        self.splitter.show_table(keeps_table)
        self.pane.setVisible(keeps_table)
        self.empty.setVisible(not shown)
        if focused:
            self.focus_table()

    @property
    def heading(self) -> str:
        """Returns the texts of the controls above the table."""
        buttons = self.findChildren(DropdownButton)
        return "   ".join(button.choice for button in buttons if button.isVisible())

    def _show_unavailable(self) -> None:
        """Disables the datasets that are not available for this organization."""
        session = self._workspace.session
        reasons = session.unavailable_datasets if session is not None else {}
        self.dataset.set_unavailable({name: reason_text(error) for name, error in reasons.items()})

    def _on_fetching(self, fetching: bool) -> None:
        self.status.show_fetching(fetching)
        self._actions.cancel.setEnabled(fetching)
        self._update_empty()

    def _update_empty(self) -> None:
        if self._workspace.last is not None:
            self._show_empty(self._workspace.last)

    def show_origin(self, origin: str, range_text: str = "") -> None:
        """Show a snapshot's date and which range it contains, with *Close*; "" for an organization."""
        self._origin, self._origin_range = origin, range_text
        self.status.show_origin(origin)
        self.status.show_coverage(None)
        if origin:
            self.snapshot.show_message(origin, range_text, [("&Close", self._actions.close_snapshot.trigger)])
        else:
            self.snapshot.clear()

    def show_loading(self, text: str) -> None:
        """Show a text and a progress bar in place of the table."""
        self.empty.show_message(text, busy=True)
        self._show_table(False)

    def show_nothing(self) -> None:
        """Show neither table nor text; the banner explains why."""
        self.empty.show_message("")
        self._show_table(False)
        self.status.show_coverage(None)
        self.snapshot.clear()

    def show_no_key(self, enter: Callable[[], None]) -> None:
        """Explains that there is neither a key nor data; `enter` asks for the key."""
        self.empty.show_message("No admin key", button="Enter admin key", act=enter)

    def _show_empty(self, result: SortedResult) -> None:
        """Show the table, or in its place the reason why there are no rows."""
        coverage = result.look.coverage
        self._show_table(bool(result.table.rows), under_text=True)
        if result.table.rows:
            return
        reason = self._workspace.reason(result.view.dataset_name)
        if reason is not None:
            self.empty.show_message(
                f"{result.view.dataset.label}: not available for this organization",
                reason_text(reason),
                button="Retry",
                act=self._workspace.refresh,
            )
        elif self._workspace.fetching:
            self.empty.show_message("Loading…", "Usage appears here as it arrives.", busy=True)
        elif result.view.filtered:
            self.empty.show_message(
                "Nothing matches the filters" if result.view.filters else "Nothing matches the search",
                button="Clear all filters",
                act=self._actions.clear_filters.trigger,
            )
        elif not coverage.expected:
            self.empty.show_message("This range lies in the future")
        elif self._origin and not coverage.stored:
            self.empty.show_message("This range is not in the snapshot", self._origin_range)
        elif coverage.complete:
            self.empty.show_message("No usage in this range", "All of this range is loaded.")
        else:
            self.empty.show_message(
                "No data for this range yet",
                f"{coverage.summary}.",
                button="" if self.banner.error is not None else "Retry",  # a failure is reported once
                act=self._workspace.retry,
            )


def reason_text(error: UsageViewerError) -> str:
    """Return what failed, what to do and the server's message in one text."""
    return f"{error.title}. {error.hint} {error.detail}".strip()
