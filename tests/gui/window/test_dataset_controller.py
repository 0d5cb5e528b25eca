"""Tests that each dataset keeps its own view, also over restarts, and that the differences are explained."""

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey
from usage_viewer.gui.table.table_model import VALUE_ROLE
from usage_viewer.gui.workspace.workspace import Workspace

BATCH = Filter("batch", frozenset(["true"]))
NOTICE = "Batch filter doesn't apply to Costs. It comes back with Completions."


def _choose(rig: WindowRig, user: User, window: WindowUnderTest, label: str) -> ViewState:
    """Choose a dataset with the mouse and return the view that is shown then."""
    user.click(window.page.dataset)
    rig.settle(window, lambda: user.pick(label))
    assert window.view.dataset.label == label
    return window.view


def _filtered(workspace: Workspace) -> ViewState:
    view = workspace.view.with_filter(BATCH).with_per(Granularity.WEEK).with_grouping(["model", "project_id"])
    return view.with_order([SortKey("num_model_requests", True)]).with_columns(["num_model_requests"])


def test_filter_order_columns_grouping_and_period_come_back(rig: WindowRig, user: User) -> None:
    window = rig.start()
    completions = _filtered(window.workspace)
    rig.show(window, completions)
    costs = _choose(rig, user, window, "Costs")
    assert costs.filters == ()
    assert "Batch filter" in window.page.notes.text
    assert "doesn't apply to Costs" in window.page.notes.text or "don't apply to Costs" in window.page.notes.text
    assert not window.page.notes.isHidden()
    rig.show(window, costs.with_per(Granularity.MONTH).with_grouping(["project_id"]))
    rig.show(window, window.view.with_range(DateRange(Preset.LAST_MONTH)).with_zone("Asia/Kolkata"))
    back = _choose(rig, user, window, "Completions")
    assert back == completions.with_range(DateRange(Preset.LAST_MONTH)).with_zone("Asia/Kolkata")
    assert window.page.notes.text == ""
    again = _choose(rig, user, window, "Costs")
    assert (again.per, again.grouping) == (Granularity.MONTH, ("project_id",))


def test_notice_names_the_filter_and_ends_with_the_dataset(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.show(window, window.view.with_filter(BATCH))
    _choose(rig, user, window, "Costs")
    assert window.page.notes.text == NOTICE
    rig.settle(window, window.commands.back.trigger)
    assert window.view.filters == (BATCH,)
    assert window.page.notes.text == ""


def test_views_of_all_datasets_last_over_a_restart(rig: WindowRig, user: User) -> None:
    window = rig.start()
    completions = _filtered(window.workspace)
    rig.show(window, completions)
    costs = _choose(rig, user, window, "Costs")
    costs = costs.with_per(Granularity.DAY).with_grouping(["project_id"]).only("project_id", None)
    rig.show(window, costs)
    rig.close(window)
    again = rig.start()
    assert again.view == costs
    assert _choose(rig, user, again, "Completions") == completions
    assert _choose(rig, user, again, "Costs") == costs


def test_period_goes_by_time_unless_the_user_sorts(rig: WindowRig, user: User) -> None:
    window = rig.start()
    user.click(window.page.per)
    rig.settle(window, lambda: user.pick("By day"))
    model = window.page.model
    days = [model.index(row, 0).data(VALUE_ROLE) for row in range(model.rowCount())]
    assert days == sorted(days)
    assert len(set(days)) > 20
    rig.show(window, window.view.with_per(Granularity.TOTAL))
    rig.settle(window, lambda: user.sort(window, "output_tokens"))
    chosen = window.view.order
    user.click(window.page.per)
    rig.settle(window, lambda: user.pick("By day"))
    assert window.view.order == chosen
