"""Tests which steps of the view can be undone and redone."""

from usage_viewer.domain.view import FIRST_VIEW
from usage_viewer.gui.workspace.view_history import ViewHistory

FILTERED = FIRST_VIEW.only("batch", "true")


def test_steps_are_undone_and_redone_in_order() -> None:
    history, third = ViewHistory(), FILTERED.toggled("user_id")
    history.record(FIRST_VIEW, FILTERED)
    history.record(FILTERED, FILTERED)  # not a step
    history.record(FILTERED, third)
    assert history.undo(third) == FILTERED
    assert history.undo(FILTERED) == FIRST_VIEW
    assert history.undo(FIRST_VIEW) is None
    assert history.redo(FIRST_VIEW) == FILTERED
    assert history.redo(FILTERED) == third
    assert history.redo(third) is None


def test_new_step_ends_redoing() -> None:
    history = ViewHistory()
    history.record(FIRST_VIEW, FILTERED)
    assert history.undo(FILTERED) == FIRST_VIEW
    history.record(FIRST_VIEW, FIRST_VIEW.toggled("user_id"))
    assert history.redo(FIRST_VIEW.toggled("user_id")) is None


def test_typed_search_is_one_step_and_clearing_it_another() -> None:
    history, last = ViewHistory(), FILTERED
    for text in ("a", "ab", "abc", ""):
        history.record(last, FILTERED.with_search(text))
        last = FILTERED.with_search(text)
    assert history.undo(last) == FILTERED.with_search("abc")
    assert history.undo(FILTERED.with_search("abc")) == FILTERED
