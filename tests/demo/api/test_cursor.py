"""Tests opaque cursors."""

import pytest

from usage_viewer.demo.api.cursor import make_cursor, parse_cursor
from usage_viewer.demo.api.refusal import Refusal

PARAMETERS = "completions[('start_time', ['1795219200'])]"


@pytest.mark.parametrize("position", [0, 1_795_219_200, 2**40])
def test_cursor_round_trip(position: int) -> None:
    assert parse_cursor(make_cursor(position, PARAMETERS), PARAMETERS) == position


def test_cursors_are_opaque() -> None:
    cursors = [make_cursor(1_795_219_200 + 86400 * step, PARAMETERS) for step in range(50)]
    assert len(set(cursors)) == 50
    for cursor in cursors:
        assert "1795" not in cursor
        with pytest.raises(ValueError, match="invalid literal"):
            int(cursor)


def test_cursor_of_other_parameters_is_refused() -> None:
    with pytest.raises(Refusal):
        parse_cursor(make_cursor(1_795_219_200, PARAMETERS), PARAMETERS + "x")


@pytest.mark.parametrize("cursor", ["", "page_", "page_!", "page_AAAA", "1795219200", "page_" + "A" * 22, "é"])
def test_invalid_cursor_is_a_400_for_page(cursor: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_cursor(cursor, PARAMETERS)
    assert (caught.value.status, caught.value.error["param"]) == (400, "page")
