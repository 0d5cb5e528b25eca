"""What a stored view names and this version lacks is named safely, and the rest is shown."""

from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.app.settings.saved_views import SavedView, open_view, rename
from usage_viewer.domain.display_text import visible


def notes_of(**parts: object) -> tuple[str, ...]:
    return open_view(SavedView("x", "Mine", {"dataset": "completions", **parts})).notes


def test_unknown_dataset_is_named_and_the_rest_is_shown() -> None:
    opened = open_view(SavedView("x", "Mine", {"dataset": "hologram", "grouping": ["user_id"], "per": "day"}))
    assert opened.view.grouping == ("user_id",)
    assert opened.view.per == "day"
    assert opened.notes == ("This version has no dataset called “hologram”; Completions is shown instead.",)


def test_unknown_fields_are_named() -> None:
    assert notes_of(grouping=["model", "mood"]) == ("Completions can't be grouped by “mood”; shown without it.",)
    assert notes_of(columns=["input_tokens", "joules"]) == (
        "Completions has no figure called “joules”; shown without it.",
    )
    assert notes_of(order=[{"column": "joules", "descending": True}]) == ("The table can't be sorted by “joules”.",)
    lost = {"dimension": "mood", "values": ["good"], "exclude": False}
    kept = {"dimension": "batch", "values": ["true"], "exclude": False}
    assert notes_of(filters=[lost, kept]) == (
        "Completions can't be filtered as saved by “mood”; more usage is shown.",
    )


def test_other_unknown_parts_are_named() -> None:
    assert notes_of(zone="Mars/Olympus") == ("The time zone “Mars/Olympus” is not known here; UTC is used.",)
    assert notes_of(range={"preset": "this-decade"}) == (
        "The range of this view is not known to this version; another range is shown.",
    )
    assert notes_of(hologram={"depth": 3}, per="fortnight") == (
        "This version can't use these parts of the view: “hologram” and “per”.",
    )


def test_unknown_parts_are_kept() -> None:
    saved = SavedView("x", "Mine", {"hologram": 3, "grouping": ["mood"]})
    assert rename((saved,), "x", "Other")[0].stored == saved.stored


def test_names_in_notes_are_safe_and_short() -> None:
    (note,) = notes_of(grouping=["\x1b[31m\u202e" + "x" * 10_000, *(f"n{number}" for number in range(50))])
    assert note == visible(note)
    assert len(note) < 300
    assert "and 46 more" in note


@given(
    st.dictionaries(
        st.sampled_from(["dataset", "range", "per", "zone", "filters", "columns", "order", "grouping", "new"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["dimension", "values", "exclude", "column", "preset"]), inner, max_size=3
                )
            ),
            max_leaves=6,
        ),
    )
)
def test_any_content_is_opened(stored: dict[str, object]) -> None:
    opened = open_view(SavedView("x", "Mine", stored))
    assert opened.view.keys
    assert all(note == visible(note) and len(note) < 500 for note in opened.notes)
