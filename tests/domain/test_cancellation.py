"""A cancelled call ends with Cancelled, wherever it was."""

import pytest

from usage_viewer.domain.errors import Cancelled
from usage_viewer.store import Cancel


class TestCancel:
    def test_lets_pass_what_was_not_cancelled(self) -> None:
        cancel, interrupted = Cancel(), []
        cancel.check()
        with cancel.interrupting(lambda: interrupted.append(1)):
            pass
        assert (cancel.is_set(), interrupted) == (False, [])

    def test_stops_before_a_query_begins(self) -> None:
        cancel = Cancel()
        cancel.cancel()
        with pytest.raises(Cancelled), cancel.interrupting(lambda: None):
            pytest.fail("the query began")

    def test_interrupts_a_query_and_stops_after_it(self) -> None:
        cancel, interrupted = Cancel(), []

        def query() -> None:
            with cancel.interrupting(lambda: interrupted.append(1)):
                cancel.cancel()
                assert interrupted == [1]

        with pytest.raises(Cancelled):
            query()
        cancel.cancel()
        assert interrupted == [1], "interrupted a query that had ended"

    def test_keeps_the_error_that_came_first(self) -> None:
        cancel = Cancel()

        def query() -> None:
            with cancel.interrupting(lambda: None):
                cancel.cancel()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            query()
