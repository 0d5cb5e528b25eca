"""Tests the chart in the window: what is done with the pointer and the keys changes the view and the selection."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.app.chart import ChartFace
from usage_viewer.app.snapshot.archive import save_snapshot
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.errors import StoreDamaged
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.row_keys import find_rows, keys_of
from usage_viewer.domain.view_parts import Filter, SortKey
from usage_viewer.gui.chart.chart_controller import ChartController
from usage_viewer.gui.chart.chart_face import BarsFace
from usage_viewer.gui.chart.chart_view import ChartView
from usage_viewer.gui.workspace.workspace import NO_ROWS
from usage_viewer.keystore import MemoryKeystore
from usage_viewer.query.chart_series import ChartSeries, GroupKind

NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    """Open a window with a day and a model in each row."""
    window = rig.start()
    window.resize(1366, 768)
    rig.show(window, window.view.with_per(Granularity.DAY))
    return window


def controller_of(window: WindowUnderTest) -> ChartController:
    controller = window.parts.chart.controller
    assert controller is not None
    return controller


def view_of(window: WindowUnderTest) -> ChartView:
    return controller_of(window).pane.view


def series_of(window: WindowUnderTest) -> ChartSeries:
    chart = controller_of(window).chart
    assert chart is not None
    assert chart.series is not None
    return chart.series


def middle(window: WindowUnderTest, bucket: int, group: int) -> QPoint:
    """Return the middle of a part of a bar."""
    face = view_of(window).face
    assert isinstance(face, BarsFace)
    layout = face.layout
    x = (layout.left[bucket] + layout.right[bucket]) // 2
    return QPoint(int(x), int(layout.top[group, bucket] + layout.bottom[group, bucket]) // 2)


def tallest(window: WindowUnderTest) -> tuple[int, int]:
    """Return the bucket and the series of the highest part."""
    face = view_of(window).face
    assert isinstance(face, BarsFace)
    heights = face.layout.bottom - face.layout.top
    group, bucket = divmod(int(heights.argmax()), heights.shape[1])
    return bucket, group


def hover(window: WindowUnderTest, point: QPoint) -> None:
    view, none = view_of(window), Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(point), QPointF(view.mapToGlobal(point)), none, none, NONE)
    QApplication.sendEvent(view, event)


def click(rig: WindowRig, window: WindowUnderTest, point: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
    rig.qtbot.mouseClick(view_of(window), Qt.MouseButton.LeftButton, modifiers, point)


def wall(window: WindowUnderTest, bucket: int) -> datetime:
    bounds = series_of(window).buckets.periods.bounds
    return datetime.fromtimestamp(int(bounds[bucket]), window.view.tzinfo).replace(tzinfo=None)


def test_chart_shows_the_rows_of_the_table(window: WindowUnderTest) -> None:
    series = series_of(window)
    total = window.page.model.table.figure("input_tokens").total
    assert sum(number or 0 for number in series.totals) == total
    assert sum(number or 0 for row in series.values for number in row) == total


def test_hover_reads_a_bar_out_and_dims_the_rest(window: WindowUnderTest) -> None:
    view, (bucket, group) = view_of(window), tallest(window)
    hover(window, middle(window, bucket, group))
    emphasis = view.emphasis
    assert emphasis.dims
    assert (emphasis.pointed.across, emphasis.pointed.down) == (bucket, group)
    assert view.readout.isVisibleTo(window)
    number = series_of(window).values[group][bucket]
    assert f"{number:,}" in [line.number for line in view.readout.lines]
    picture = window.grab()
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert not view.readout.isVisibleTo(window)
    assert not view.emphasis.dims
    assert window.grab().toImage() != picture.toImage()


def test_click_on_an_entry_or_a_bar_filters(rig: WindowRig, window: WindowUnderTest) -> None:
    first = series_of(window).groups[0].values[0][1]
    rig.settle(window, lambda: click(rig, window, entry_point(window, 0)))
    assert window.view.filters == (Filter("model", frozenset([first])),)
    rig.show(window, window.view.without_filters())
    group, bucket = _of_group(window, 1)
    second = series_of(window).groups[group].values[0][1]
    rig.settle(window, lambda: click(rig, window, middle(window, bucket, group)))
    assert window.view.filters == (Filter("model", frozenset([second])),)


def entry_point(window: WindowUnderTest, place: int) -> QPoint:
    """Return a point in an entry of the legend."""
    face = view_of(window).face
    assert isinstance(face, BarsFace)
    box = face.layout.frame.legend[place].box
    return QPoint(int(box.x) + 5, int(box.y) + 5)


def _of_group(window: WindowUnderTest, group: int) -> tuple[int, int]:
    """Return the series and the bucket where it is highest."""
    face = view_of(window).face
    assert isinstance(face, BarsFace)
    heights = face.layout.bottom[group] - face.layout.top[group]
    return group, int(heights.argmax())


def test_ctrl_click_on_a_second_entry_adds_it(rig: WindowRig, window: WindowUnderTest) -> None:
    first, second = (group.values[0][1] for group in series_of(window).groups[:2])
    # The chart still shows both, since its next result has not arrived.
    window.workspace.show_view(window.view.only("model", first))
    rig.settle(window, lambda: click(rig, window, entry_point(window, 1), CTRL))
    assert window.view.filters == (Filter("model", frozenset([first, second])),)


def test_others_are_what_the_named_groups_are_not(rig: WindowRig, window: WindowUnderTest) -> None:
    series = series_of(window)
    others = next(place for place, group in enumerate(series.groups) if group.kind is GroupKind.OTHERS)
    rest = sum(number or 0 for number in series.values[others])
    rig.settle(window, lambda: click(rig, window, entry_point(window, others)))
    assert window.page.model.table.figure("input_tokens").total == rest


def test_others_of_two_dimensions_have_no_filter_and_say_so(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.show(window, window.view.with_grouping(["model", "project_id"]))
    before = window.view
    others = len(series_of(window).groups) - 1
    click(rig, window, entry_point(window, others))
    assert window.view == before
    assert "No filter can select Others" in window.page.status.text


def test_dragging_sets_the_range_and_escape_takes_it_back(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    before, expected = window.view, (wall(window, 5), wall(window, 12))
    face = view_of(window).face
    assert isinstance(face, BarsFace)
    start, end = (QPoint(int(face.layout.left[bucket]) + 4, 30) for bucket in (5, 11))
    rig.settle(window, lambda: user.drag(view_of(window), start, end))
    assert window.view.range == DateRange(None, *expected)
    view_of(window).setFocus()
    rig.settle(window, lambda: user.key(Qt.Key.Key_Escape))
    assert window.view == before


def test_range_that_is_being_chosen_survives_new_figures(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    view = view_of(window)
    face = view.face
    assert isinstance(face, BarsFace)
    start, end = (QPoint(int(face.layout.left[bucket]) + 4, 30) for bucket in (5, 11))
    expected = (wall(window, 5), wall(window, 12))
    user._mouse(view, QEvent.Type.MouseButtonPress, start)
    user._mouse(view, QEvent.Type.MouseMove, end)
    rig.settle(window, window.workspace.reload)
    assert view.emphasis.brush == (5, 11)
    rig.settle(window, lambda: user._mouse(view, QEvent.Type.MouseButtonRelease, end))
    assert window.view.range == DateRange(None, *expected)


def test_error_is_shown_in_place_of_the_chart(window: WindowUnderTest) -> None:
    controller = controller_of(window)
    controller._on_failed(StoreDamaged("block 7"))
    assert view_of(window).message.startswith("The local database is damaged")
    assert view_of(window).face is None
    assert not window.grab().isNull()


def test_snapshot_is_charted_and_what_it_lacks_is_not_loaded(
    rig: WindowRig, window: WindowUnderTest, tmp_path: Path
) -> None:
    rig.show(window, window.view.with_range(DateRange(Preset.LAST_7_DAYS)))
    before = series_of(window)
    session = window.workspace.store_session
    assert session is not None
    save_snapshot(session, window.view, tmp_path / "saved.zip")
    rig.close(window)
    window = rig.open(rig.context(MemoryKeystore, snapshot=tmp_path / "saved.zip"))
    rig.show(window, window.view.with_range(DateRange(Preset.LAST_7_DAYS)).with_per(Granularity.DAY))
    assert series_of(window).totals == before.totals
    rig.show(window, window.view.with_range(DateRange(Preset.LAST_30_DAYS)))
    texts = view_of(window).texts
    assert texts is not None
    assert texts.state_of(0) == "Not loaded"


def test_escape_cancels_a_drag(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    before, view = window.view, view_of(window)
    view.setFocus()
    face = view.face
    assert isinstance(face, BarsFace)
    start, end = (QPoint(int(face.layout.left[bucket]) + 4, 30) for bucket in (5, 11))
    user._mouse(view, QEvent.Type.MouseButtonPress, start)
    user._mouse(view, QEvent.Type.MouseMove, end)
    brush = view.emphasis.brush
    assert brush == (5, 11)
    rig.qtbot.keyClick(view, Qt.Key.Key_Escape)
    user._mouse(view, QEvent.Type.MouseButtonRelease, end)
    assert view.emphasis.brush is None
    assert window.view == before


def test_double_click_opens_the_day_without_the_filter_of_its_first_click(
    rig: WindowRig, window: WindowUnderTest
) -> None:
    bucket, group = tallest(window)
    start, end = wall(window, bucket), wall(window, bucket + 1)
    point, view, left = middle(window, bucket, group), view_of(window), Qt.MouseButton.LeftButton

    def double_click() -> None:
        rig.qtbot.mouseClick(view, left, NONE, point)
        rig.qtbot.mouseDClick(view, left, NONE, point)

    rig.settle(window, double_click)
    assert window.view.range == DateRange(None, start, end)
    assert window.view.per is Granularity.HOUR
    assert window.view.filters == ()
    assert len(series_of(window).totals) == 24


def test_every_step_of_the_keys_is_said(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    said: list[str] = []
    window.parts.announcer.announced.connect(said.append)
    view_of(window).setFocus()
    user.key(Qt.Key.Key_Left)
    user.key(Qt.Key.Key_Left)
    user.key(Qt.Key.Key_Up)
    user.key(Qt.Key.Key_Home)
    user.key(Qt.Key.Key_Right, SHIFT)
    series, texts = series_of(window), view_of(window).texts
    assert texts is not None
    last = len(series.totals) - 1
    first_group = f"{series.groups[0].label}: {series.values[0][last - 1]:,}"
    assert said == [
        texts.say(last, None),
        texts.say(last - 1, None),
        f"{texts.bucket(last - 1)}, {first_group}, 1 of 9, all {series.totals[last - 1]:,}, May still change",
        texts.say(0, 0),
        f"{texts.bucket(0)} to {texts.bucket(1)}",
    ]


def test_keys_filter_choose_a_range_and_take_both_back(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    before, view = window.view, view_of(window)
    view.setFocus()
    user.key(Qt.Key.Key_Home)
    user.key(Qt.Key.Key_Home)
    user.key(Qt.Key.Key_Up)
    first = series_of(window).groups[0].values[0][1]
    rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    assert window.view.filters == (Filter("model", frozenset([first])),)
    user.key(Qt.Key.Key_Home)
    expected = DateRange(None, wall(window, 0), wall(window, 4))
    user.key(Qt.Key.Key_Right, SHIFT, times=3)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    assert window.view.range == expected
    assert user.focus is view
    rig.settle(window, lambda: user.key(Qt.Key.Key_Escape))
    rig.settle(window, lambda: user.key(Qt.Key.Key_Escape))
    assert window.view == before


def test_page_keys_go_by_a_month(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    rig.show(window, window.view.with_range(DateRange(Preset.LAST_90_DAYS)))
    view_of(window).setFocus()
    user.key(Qt.Key.Key_End)
    user.key(Qt.Key.Key_PageUp)
    assert view_of(window).emphasis.cursor.across == 89 - 30
    user.key(Qt.Key.Key_PageDown)
    assert view_of(window).emphasis.cursor.across == 89


def test_selected_rows_stand_out_in_the_chart(rig: WindowRig, window: WindowUnderTest) -> None:
    table, series = window.page.model.table, series_of(window)
    window.workspace.select(keys_of(table, [3, 40]))
    selected = view_of(window).emphasis.selected
    assert selected is not None
    assert series.group_of_row is not None
    assert series.bucket_of_row is not None
    marked = {(int(series.group_of_row[row]), int(series.bucket_of_row[row])) for row in (3, 40)}
    assert {tuple(place) for place in zip(*(axis.tolist() for axis in selected.nonzero()), strict=True)} == marked
    window.workspace.select(NO_ROWS)
    assert view_of(window).emphasis.selected is None


def test_part_of_the_chart_selects_its_rows_in_the_table(rig: WindowRig, window: WindowUnderTest) -> None:
    bucket, group = tallest(window)
    click(rig, window, middle(window, bucket, group), ALT)
    rows = find_rows(window.page.model.table, window.workspace.selection)
    series = series_of(window)
    assert len(rows) == 1
    assert window.page.model.table.figure("input_tokens").value(int(rows[0])) == series.values[group][bucket]
    assert sum(last - first + 1 for first, last in window.page.table.selected_rows()) == 1


def test_selected_group_of_a_total_stands_out_in_every_day(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.show(window, window.view.with_per(Granularity.TOTAL))
    window.workspace.select(keys_of(window.page.model.table, [0]))
    selected = view_of(window).emphasis.selected
    assert selected is not None
    assert selected.all(axis=1).sum() == 1
    window.workspace.select(NO_ROWS)
    point = middle(window, *tallest(window))
    click(rig, window, point, ALT)
    assert len(window.workspace.selection.parts) == 1


def test_figure_follows_the_sorted_column_and_can_be_chosen(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    controller = controller_of(window)
    rig.settle(window, lambda: user.sort(window, "output_tokens"))
    assert controller.pane.figure.choice == "Output"
    assert series_of(window).figure.name == "output_tokens"
    rig.settle(window, lambda: controller.pane.figure_chosen.emit("num_model_requests"))
    assert series_of(window).figure.name == "num_model_requests"
    rig.show(window, window.view.only("model", "o5"))
    assert series_of(window).figure.name == "num_model_requests"
    rig.show(window, window.view.with_order([SortKey("cached_share")]))
    assert not series_of(window).is_stacked
    assert "does not add up" in controller.pane.caption.text()


def test_menu_offers_the_figures_of_the_table(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    window.page.focus_table()
    user.key(Qt.Key.Key_F, ALT)
    rig.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    texts = [action.text().replace("&", "") for action in user.menu.actions()]
    assert texts == [window.view.dataset.column(name).label for name in window.view.shown_columns]
    user.menu.close()


def test_heat_map_offers_to_load_the_hours(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    controller = controller_of(window)
    rig.show(window, window.view.with_range(DateRange(Preset.LAST_7_DAYS)))
    rig.settle(window, lambda: user.click(controller.pane.heat_map))
    assert controller.face is ChartFace.HEAT_MAP
    assert controller.pane.hours.isVisible()
    rig.settle(window, lambda: user.click(controller.pane.hours))
    assert controller.chart is not None
    assert controller.chart.heat_map is not None
    assert not controller.chart.heat_map.empty
    controller.pane.view.setFocus()
    said: list[str] = []
    controller.said.connect(said.append)
    user.key(Qt.Key.Key_Right)
    user.key(Qt.Key.Key_Down)
    assert "00:00" in said[0]
    assert "average per hour" in said[1]


def test_chart_has_the_role_and_the_name_of_a_chart(rig: WindowRig, window: WindowUnderTest) -> None:
    interface = QAccessible.queryAccessibleInterface(view_of(window))
    assert interface is not None
    assert interface.role() == QAccessible.Role.Chart
    assert interface.text(QAccessible.Text.Name) == "Chart: Input, tokens per day, UTC"
    rig.show(window, window.view.with_per(Granularity.WEEK))
    assert interface.text(QAccessible.Text.Name) == "Chart: Input, tokens per week, UTC"


def test_failed_days_are_named_as_failed(rig: WindowRig, window: WindowUnderTest) -> None:
    def failing(request: Request) -> Fault | None:
        is_usage = "/usage/" in request.path
        return Fault(status=400, body=b'{"error": {"message": "Boo."}}') if is_usage else None

    rig.server.faults = failing
    rig.show(window, window.view.with_range(DateRange(None, datetime(2026, 1, 1), datetime(2026, 1, 8))))
    texts = view_of(window).texts
    assert texts is not None
    assert texts.state_of(0) == "Failed to load"
    rig.server.faults = None
    rig.settle(window, window.workspace.retry)
    texts = view_of(window).texts
    assert texts is not None
    assert texts.state_of(0) == ""


def test_days_without_a_granted_grouping_are_hatched_and_named(rig: WindowRig) -> None:
    rig.server.refused = RefusedGroupings.of(rules=["costs:api_key_id<2026-11-01"])
    window = rig.start()
    costs = window.view.with_dataset("costs").with_range(DateRange(Preset.LAST_90_DAYS)).with_per(Granularity.DAY)
    rig.show(window, costs.with_grouping(["api_key_id"]))
    series, texts = series_of(window), view_of(window).texts
    assert texts is not None
    unavailable = series.buckets.unavailable
    bounds = series.buckets.periods.bounds[:-1]
    first = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    assert unavailable.tolist() == (bounds < first).tolist()
    assert series.groups[-1].kind is GroupKind.UNAVAILABLE
    assert texts.state_of(0) == "API key not available"
    before = window.view
    click(rig, window, entry_point(window, len(series.groups) - 1))
    assert window.view == before


def test_filter_on_a_grouping_that_is_not_granted_is_no_zero(rig: WindowRig) -> None:
    rig.server.refused = RefusedGroupings.of(rules=["costs:api_key_id<2026-11-01"])
    window = rig.start()
    costs = window.view.with_dataset("costs").with_range(DateRange(Preset.LAST_90_DAYS)).with_per(Granularity.DAY)
    rig.show(window, costs.with_grouping(["api_key_id"]))
    key = next(group for group in series_of(window).groups if group.kind is GroupKind.GROUP).values[0][1]
    rig.show(window, costs.with_grouping([]).only("api_key_id", key))
    texts = view_of(window).texts
    assert texts is not None
    assert series_of(window).buckets.unavailable[0]
    assert texts.say(0, None).endswith("API key not available")
    assert ", 0" not in texts.say(0, None)


def test_right_to_left_keys_follow_the_picture(qtbot: QtBot, user: User, window: WindowUnderTest) -> None:
    view = view_of(window)
    view.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    view.setFocus()
    user.key(Qt.Key.Key_Left)
    before = view.emphasis.cursor.across
    assert before is not None
    user.key(Qt.Key.Key_Right)
    assert view.emphasis.cursor.across == before - 1
