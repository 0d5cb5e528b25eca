"""Saved views keep relative ranges, are edited by id, have safe names, and report what they can't show."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.settings.test_view_serialization import views
from usage_viewer.app.settings.saved_views import (
    LONGEST_NAME,
    MOST_VIEWS,
    READY_MADE,
    SavedView,
    add,
    check_name,
    find_view,
    free_name,
    import_views,
    move,
    new_view,
    open_view,
    put_back,
    remove,
    rename,
    replace_view,
)
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey

KEY = "sk-admin-" + "a1B2c3D4" * 6
NAMES = [one.name for one in READY_MADE]


def names(saved: tuple[SavedView, ...]) -> list[str]:
    return [one.name for one in saved]


@given(views())
def test_every_view_is_opened_as_it_was_saved(view: ViewState) -> None:
    saved = new_view("Mine", view)
    assert open_view(saved) == open_view(SavedView("x", "y", json.loads(json.dumps(saved.stored))))
    assert open_view(saved).view == view
    assert open_view(saved).notes == ()


def test_ready_made_views_are_shown_completely() -> None:
    assert NAMES == [
        "This month by model",
        "Who spends",
        "What moved since last month",
        "Keys by cached share",
        "Batch by hour",
    ]
    assert all(open_view(one).notes == () and check_name(one.name) for one in READY_MADE)
    assert all(open_view(one).view.range.preset is not None for one in READY_MADE)
    assert open_view(READY_MADE[2]).view.compare is Comparison.MONTH


def test_relative_range_stays_relative() -> None:
    saved = new_view("Mine", ViewState(range=DateRange(Preset.LAST_7_DAYS)))
    assert saved.stored["range"] == {"preset": "last-7-days", "start": None, "end": None}


def test_view_is_shown_for_the_open_organizations() -> None:
    combined = ViewState(profiles=("a", "b"), grouping=("profile", "model"))
    saved = new_view("Mine", combined)
    assert "profiles" not in saved.stored
    assert open_view(saved, ("c", "d")).view == combined.across(("c", "d"))
    alone = open_view(saved)
    assert alone.view.grouping == ("model",)
    assert alone.notes == ("Completions can't be grouped by “profile”; shown without it.",)


def test_keys_in_a_view_are_masked() -> None:
    view = ViewState(search=KEY, filters=(Filter("api_key_id", frozenset([KEY, "key_1", None])),))
    saved = new_view("Mine", view)
    assert KEY not in json.dumps(saved.stored)
    assert open_view(saved).view.search == "sk-admin-…"
    assert "key_1" in json.dumps(saved.stored)


class TestNames:
    @pytest.mark.parametrize(
        "name", ["", "  ", "x" * (LONGEST_NAME + 1), "a\x07b", "a\u202eb", f"my {KEY}", "Mine"]
    )
    def test_unusable_name_is_an_input_error(self, name: str) -> None:
        with pytest.raises(InputError) as caught:
            check_name(name, [new_view("mine", ViewState())])
        assert KEY not in f"{caught.value.title}{caught.value.hint}{caught.value.detail}"

    def test_name_may_look_like_markup(self) -> None:
        assert check_name(" <b>a</b> &  %n ") == "<b>a</b> & %n"

    @given(st.text(max_size=200), st.integers(0, 4))
    def test_any_text_becomes_a_valid_name(self, text: str, taken: int) -> None:
        views: tuple[SavedView, ...] = ()
        for _ in range(taken + 1):
            views = add(views, new_view(free_name(text, views), ViewState()))
        assert len({one.name.casefold() for one in views}) == taken + 1

    def test_long_text_becomes_a_short_name(self) -> None:
        assert free_name("x" * 10_000, ()) == "x" * LONGEST_NAME
        assert KEY not in free_name(KEY, ())


class TestEdits:
    def test_rename_move_and_remove(self) -> None:
        views = rename(READY_MADE, "who-spends", "Spenders")
        assert names(views)[1] == "Spenders"
        assert names(move(views, "who-spends", -1))[:2] == ["Spenders", NAMES[0]]
        assert names(move(views, "who-spends", 99))[-1] == "Spenders"
        assert move(views, "who-spends", -99)[0].id == "who-spends"
        assert names(remove(views, "who-spends")) == [NAMES[0], *NAMES[2:]]
        assert remove(views, "gone") == views

    def test_removed_view_is_put_back_where_it_was(self) -> None:
        without = remove(READY_MADE, "who-spends")
        assert put_back(without, READY_MADE[1], 1) == READY_MADE
        assert put_back(READY_MADE, READY_MADE[1], 1) == READY_MADE
        taken = add(without, new_view("who spends", ViewState()))
        assert names(put_back(taken, READY_MADE[1], 1))[1] == "Who spends (2)"

    def test_view_is_replaced_under_its_name(self) -> None:
        other = ViewState("costs", grouping=("line_item",), order=(SortKey("amount", True),))
        views = replace_view(READY_MADE, "who-spends", new_view("", other))
        assert (views[1].name, views[1].id) == ("Who spends", "who-spends")
        assert open_view(views[1]).view == other

    def test_edit_of_a_view_that_is_gone_is_an_input_error(self) -> None:
        with pytest.raises(InputError, match="removed in another window"):
            rename(READY_MADE, "gone", "x")
        with pytest.raises(InputError, match="removed in another window"):
            move(READY_MADE, "gone", 1)
        with pytest.raises(InputError, match="removed in another window"):
            replace_view(READY_MADE, "gone", READY_MADE[0])

    def test_number_of_views_is_limited(self) -> None:
        views = READY_MADE
        for number in range(MOST_VIEWS - len(READY_MADE)):
            views = add(views, new_view(f"View {number}", ViewState()))
        with pytest.raises(InputError, match="too many"):
            add(views, new_view("One more", ViewState()))

    def test_imported_views_get_new_ids_and_free_names(self) -> None:
        views = import_views(READY_MADE, READY_MADE[:2])
        assert names(views)[5:] == [f"{NAMES[0]} (2)", f"{NAMES[1]} (2)"]
        assert len({one.id for one in views}) == 7

    def test_view_is_found_by_its_name(self) -> None:
        assert find_view(READY_MADE, " who   SPENDS ").id == "who-spends"
        both = (*READY_MADE, SavedView("x", "WHO SPENDS", {}))
        assert find_view(both, "WHO SPENDS").id == "x"
        with pytest.raises(InputError) as caught:
            find_view(READY_MADE, "nobody\x1b")
        assert "Who spends" in caught.value.hint
        assert caught.value.detail == "nobody␛"
