"""Keeps the former views of the window, so that the user can go back to them and forward again."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final

from usage_viewer.domain.view import ViewState
from usage_viewer.gui.workspace.table_place import TablePlace

MERGED_SECONDS: Final = 1.0
"""Changes of one control that follow each other faster than this are one step."""
DEPTH: Final = 100
"""Steps that are kept."""


@dataclass(frozen=True, slots=True)
class Step:
    """Holds a view and the place in its table; `place` is None if the table was not shown yet."""

    view: ViewState
    place: TablePlace | None = None


class ViewHistory:
    """Has the steps before and after the current one.

    The changes of one control within a second are one step, and so are the characters typed into a search.
    `seconds` returns the time of a monotonic clock.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._past: deque[Step] = deque(maxlen=DEPTH)
        self._future: list[Step] = []
        self._control: frozenset[str] = frozenset()  # what the last step changed; empty: nothing is merged with it
        self._changed_at = 0.0
        self._searching = False

    def record(self, before: Step, after: ViewState, *, is_whole: bool = False) -> None:
        """Add the step from `before` to `after`, which a control requested, and drop the steps after `before`.

        With `is_whole`, no control but a whole view was chosen: that is a step of its own, however fast.
        """
        if before.view == after:
            return
        control, now = frozenset[str]() if is_whole else _changed_parts(before.view, after), self._seconds()
        searching = control == {"search"} and bool(after.search)
        is_fast = bool(control) and control == self._control and now - self._changed_at < MERGED_SECONDS
        if (searching and self._searching) or (is_fast and self._searching == searching):
            if self._past and self._past[-1].view == after:  # the control is where it was
                self._past.pop()
                control = frozenset()
        else:
            self._past.append(before)
        self._control, self._changed_at, self._searching = control, now, searching
        self._future.clear()

    def back(self, current: Step) -> Step | None:
        """Return the step before `current`; None if there is none."""
        return self._step(current, self._past, self._future)

    def forward(self, current: Step) -> Step | None:
        """Return the step that `back` left last; None if there is none."""
        return self._step(current, self._future, self._past)

    def _step(
        self, current: Step, source: "list[Step] | deque[Step]", target: "list[Step] | deque[Step]"
    ) -> Step | None:
        if not source:
            return None
        self._searching, self._control = False, frozenset()
        target.append(current)
        return source.pop()


def _changed_parts(before: ViewState, after: ViewState) -> frozenset[str]:
    """Return the names of the parts in which two views differ: each control changes its own parts."""
    names = (item.name for item in fields(ViewState))
    return frozenset(name for name in names if getattr(before, name) != getattr(after, name))
