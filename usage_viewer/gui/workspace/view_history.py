"""Keeps the former views of the window, so that a change of the view can be undone and redone."""

from usage_viewer.domain.view import ViewState


class ViewHistory:
    """Has the views before and after the current one; the keys typed into a search are one step."""

    def __init__(self) -> None:
        self._past: list[ViewState] = []
        self._future: list[ViewState] = []
        self._searching = False

    def record(self, before: ViewState, after: ViewState) -> None:
        """Add the step from `before` to `after`, which another control requested; nothing can be redone then."""
        if before == after:
            return
        searching = before.with_search(after.search) == after and bool(after.search)
        if not (searching and self._searching):
            self._past.append(before)
        self._searching = searching
        self._future.clear()

    def undo(self, current: ViewState) -> ViewState | None:
        """Return the view before `current`; None if there is none."""
        return self._step(current, self._past, self._future)

    def redo(self, current: ViewState) -> ViewState | None:
        """Return the view that `undo` left last; None if there is none."""
        return self._step(current, self._future, self._past)

    def _step(self, current: ViewState, source: list[ViewState], target: list[ViewState]) -> ViewState | None:
        if not source:
            return None
        self._searching = False
        target.append(current)
        return source.pop()
