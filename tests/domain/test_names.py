"""What is shown for an id."""

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.names import Name, Names

DATA = DATASETS["completions"]
PROJECT, BATCH, MODEL = (DATA.dimension(name) for name in ("project_id", "batch", "model"))
NAMES = Names.of(
    [
        Name("project", "proj_1111", "search"),
        Name("project", "proj_2222", "search"),
        Name("project", "proj_3333", "Billing", deleted=True),
        Name("user", "proj_4444", "somebody"),
    ]
)


def test_a_name_stands_for_its_id() -> None:
    assert NAMES.label(PROJECT, "proj_3333") == "Billing (deleted)"


def test_equal_names_are_told_apart() -> None:
    assert NAMES.label(PROJECT, "proj_1111") == "search (…1111)"
    assert NAMES.label(PROJECT, "proj_2222") == "search (…2222)"


def test_an_id_of_another_kind_is_no_name() -> None:
    assert NAMES.label(PROJECT, "proj_4444") == "proj_4444"
    assert NAMES.label(MODEL, "gpt") == "gpt"


def test_none_and_booleans_have_words() -> None:
    assert NAMES.label(PROJECT, None) == "(none)"
    assert [NAMES.label(BATCH, value) for value in ("true", "false", "odd")] == ["yes", "no", "odd"]


def test_search_finds_names_and_ids_case_aside() -> None:
    assert NAMES.matches(PROJECT, "proj_3333", "bILL")
    assert NAMES.matches(PROJECT, "proj_3333", "333")
    assert not NAMES.matches(PROJECT, "proj_3333", "search")
    assert NAMES.matches(PROJECT, None, "none")


def test_what_can_not_be_seen_in_a_name_or_an_id_is_written_out() -> None:
    names = Names.of([Name("project", "proj_1", "pay\u200bpal\u202e\n")])
    assert names.label(PROJECT, "proj_1") == "pay⟨U+200B⟩pal⟨U+202E⟩␊"
    assert names.label(PROJECT, "proj\u2066") == "proj⟨U+2066⟩"
    assert names.label(MODEL, "<img src=x> &amp;") == "<img src=x> &amp;"
    assert names.label(BATCH, "\x07") == "␇"


def test_equal_names_with_equal_endings_are_told_apart_too() -> None:
    ids = ("key_a1111", "key_b1111", "key_c1b1111", "key_b2222")
    names = Names.of([Name("api_key", one, "ci") for one in ids])
    labels = [names.label(DATA.dimension("api_key_id"), one) for one in ids]
    assert len(set(labels)) == 4
    assert labels[-1] == "ci (…2222)"
