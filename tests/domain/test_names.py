"""The displayed text of ids and other values of dimensions."""

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.names import Name, Names

DATA = DATASETS["completions"]
PROJECT, BATCH, MODEL, USER, API_KEY = (
    DATA.dimension(name) for name in ("project_id", "batch", "model", "user_id", "api_key_id")
)
NAMES = Names.of(
    [
        Name("project", "proj_1111", "search"),
        Name("project", "proj_2222", "search"),
        Name("project", "proj_3333", "Billing", deleted=True),
        Name("user", "proj_4444", "somebody"),
    ]
)


def test_label_is_the_name_of_the_id() -> None:
    assert NAMES.label(PROJECT, "proj_3333") == "Billing (deleted)"


def test_equal_names_get_the_end_of_their_id() -> None:
    assert NAMES.label(PROJECT, "proj_1111") == "search (…1111)"
    assert NAMES.label(PROJECT, "proj_2222") == "search (…2222)"


def test_name_of_another_kind_is_not_used() -> None:
    assert NAMES.label(PROJECT, "proj_4444") == "proj_4444"
    assert NAMES.label(MODEL, "gpt") == "gpt"


def test_none_and_booleans_are_displayed_as_words() -> None:
    assert NAMES.label(PROJECT, None) == "(none)"
    assert NAMES.label(USER, None) == "No user"
    assert NAMES.label(API_KEY, None) == "No key (web or deleted)"
    assert NAMES.label(DATASETS["costs"].dimension("user_id"), None) == "No user"
    assert [NAMES.label(BATCH, value) for value in ("true", "false", "odd")] == ["yes", "no", "odd"]


def test_search_matches_names_and_ids_ignoring_case() -> None:
    assert NAMES.matches(PROJECT, "proj_3333", "bILL")
    assert NAMES.matches(PROJECT, "proj_3333", "333")
    assert not NAMES.matches(PROJECT, "proj_3333", "search")
    assert NAMES.matches(PROJECT, None, "none")


def test_invisible_characters_in_names_and_ids_are_escaped() -> None:
    names = Names.of([Name("project", "proj_1", "pay\u200bpal\u202e\n")])
    assert names.label(PROJECT, "proj_1") == "pay⟨U+200B⟩pal⟨U+202E⟩␊"
    assert names.label(PROJECT, "proj\u2066") == "proj⟨U+2066⟩"
    assert names.label(MODEL, "<img src=x> &amp;") == "<img src=x> &amp;"
    assert names.label(BATCH, "\x07") == "␇"


def test_equal_names_with_equal_id_endings_get_longer_endings() -> None:
    ids = ("key_a1111", "key_b1111", "key_c1b1111", "key_b2222")
    names = Names.of([Name("api_key", one, "ci") for one in ids])
    labels = [names.label(DATA.dimension("api_key_id"), one) for one in ids]
    assert len(set(labels)) == 4
    assert labels[-1] == "ci (…2222)"


def test_many_equal_names_are_labelled_in_linear_time() -> None:
    """Comparing each id with all others takes minutes for so many."""
    names = Names.of([Name("api_key", f"key_{number:08}", "Secret key") for number in range(50_000)])
    dimension = DATASETS["completions"].dimension("api_key_id")
    labels = {names.label(dimension, f"key_{number:08}") for number in range(50_000)}
    assert len(labels) == 50_000
