"""Tests which steps of the view the history keeps, in which order, and which it merges."""

from itertools import pairwise

from tests.rigs.clock import Pace
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.row_keys import RowKeys
from usage_viewer.domain.view import FIRST_VIEW, ViewState
from usage_viewer.gui.workspace.table_place import TablePlace
from usage_viewer.gui.workspace.view_history import DEPTH, Step, ViewHistory

FILTERED = FIRST_VIEW.only("batch", "true")
PLACE = TablePlace(RowKeys(("model",), (("gpt-6",),)), RowKeys((), ()), ColumnKey("model"), (0, 7))


def _walk(history: ViewHistory, *views: ViewState) -> Step:
    """Record the steps from each view to the next one; return the last."""
    for before, after in pairwise(views):
        history.record(Step(before), after)
    return Step(views[-1])


def test_steps_go_back_and_forward_in_order() -> None:
    third = FILTERED.toggled("user_id")
    history = ViewHistory(Pace())
    current = _walk(history, FIRST_VIEW, FILTERED, FILTERED, third)  # the same view again is not a step
    assert history.back(current) == Step(FILTERED)
    assert history.back(Step(FILTERED)) == Step(FIRST_VIEW)
    assert history.back(Step(FIRST_VIEW)) is None
    assert history.forward(Step(FIRST_VIEW)) == Step(FILTERED)
    assert history.forward(Step(FILTERED)) == current
    assert history.forward(current) is None


def test_each_view_has_its_place() -> None:
    history = ViewHistory(Pace())
    history.record(Step(FIRST_VIEW, PLACE), FILTERED)
    assert history.back(Step(FILTERED, None)) == Step(FIRST_VIEW, PLACE)
    assert history.forward(Step(FIRST_VIEW, PLACE)) == Step(FILTERED, None)


def test_new_step_ends_going_forward() -> None:
    history = ViewHistory(Pace())
    _walk(history, FIRST_VIEW, FILTERED)
    assert history.back(Step(FILTERED)) == Step(FIRST_VIEW)
    other = _walk(history, FIRST_VIEW, FIRST_VIEW.toggled("user_id"))
    assert history.forward(other) is None


def test_typed_search_is_one_step_and_clearing_it_another() -> None:
    history = ViewHistory(Pace())
    last = _walk(history, FILTERED, *(FILTERED.with_search(text) for text in ("a", "ab", "abc", "")))
    found = FILTERED.with_search("abc")
    assert history.back(last) == Step(found)
    assert history.back(Step(found)) == Step(FILTERED)


def test_fast_changes_of_one_control_are_one_step() -> None:
    history = ViewHistory(Pace(0.9))
    models = [FIRST_VIEW.only("model", name) for name in ("one", "two", "three")]
    last = _walk(history, FIRST_VIEW, *models)
    assert history.back(last) == Step(FIRST_VIEW)
    assert history.back(Step(FIRST_VIEW)) is None
    assert history.forward(Step(FIRST_VIEW)) == last


def test_slow_changes_of_one_control_are_several_steps() -> None:
    history = ViewHistory(Pace(1.0))
    first, second = FIRST_VIEW.only("model", "one"), FIRST_VIEW.only("model", "two")
    assert history.back(_walk(history, FIRST_VIEW, first, second)) == Step(first)


def test_fast_changes_of_two_controls_are_two_steps() -> None:
    history = ViewHistory(Pace(0.1))
    last = _walk(history, FIRST_VIEW, FILTERED, FILTERED.toggled("user_id"))
    assert history.back(last) == Step(FILTERED)


def test_control_that_is_back_where_it_was_makes_no_step() -> None:
    history = ViewHistory(Pace(0.1))
    assert history.back(_walk(history, FIRST_VIEW, FILTERED, FIRST_VIEW)) is None


def test_step_after_going_back_is_not_merged() -> None:
    history = ViewHistory(Pace(0.1))
    other = FIRST_VIEW.only("batch", "false")
    assert history.back(_walk(history, FIRST_VIEW, FILTERED)) == Step(FIRST_VIEW)
    assert history.back(_walk(history, FIRST_VIEW, other)) == Step(FIRST_VIEW)


def test_oldest_of_more_than_a_hundred_steps_is_dropped() -> None:
    history = ViewHistory(Pace())
    views = [FIRST_VIEW.only("model", str(number)) for number in range(DEPTH + 6)]
    current, steps = _walk(history, *views), 0
    while (step := history.back(current)) is not None:
        current, steps = step, steps + 1
    assert (steps, current.view) == (DEPTH, views[5])


def test_whole_views_are_a_step_each_however_fast() -> None:
    history = ViewHistory(Pace(0.001))
    saved = [FIRST_VIEW.only("batch", value) for value in ("true", "false")]
    history.record(Step(FIRST_VIEW), saved[0], is_whole=True)
    history.record(Step(saved[0]), saved[1], is_whole=True)
    history.record(Step(saved[1]), FIRST_VIEW.only("batch", None))  # a control changes the same part
    current = Step(FIRST_VIEW.only("batch", None))
    for before in (saved[1], saved[0], FIRST_VIEW):
        assert history.back(current) == Step(before)
        current = Step(before)
