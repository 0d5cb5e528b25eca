"""Tests the ids, the matches and the groups of index."""

import numpy as np
import pytest

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.query.dimension_index import DimensionIndex

DATA = DATASETS["embeddings"]  # project, user, API key, model
FIRST: list[Combination] = [("p1", "u1", "k1", "ada"), ("p1", "u2", None, "ada"), ("p2", None, "k1", "bob")]


@pytest.fixture
def index() -> DimensionIndex:
    return DimensionIndex(DATA, FIRST)


def view(**changes: object) -> ViewState:
    return ViewState(**{"dataset_name": "embeddings", "grouping": (), **changes})  # type: ignore[arg-type]


class TestAdd:
    def test_new_combinations_get_the_next_ids(self, index: DimensionIndex) -> None:
        new: Combination = ("p1", "u1", "k1", "bob")
        assert index.add([FIRST[2], new, FIRST[0], new]).tolist() == [2, 3, 0, 3]
        assert index.combinations(2) == [FIRST[2], new]
        assert len(index) == 4

    def test_adding_nothing_changes_nothing(self, index: DimensionIndex) -> None:
        assert index.add([]).tolist() == []
        assert len(index) == 3

    def test_combination_stored_twice_keeps_both_ids(self) -> None:
        twice = DimensionIndex(DATA, [FIRST[0], FIRST[0], FIRST[1]])
        assert len(twice) == 3
        assert twice.add([FIRST[1], FIRST[0], FIRST[2]]).tolist() == [2, 0, 3]
        assert twice.groups(DATA.group_by, np.ones(4, np.bool_)).group_of.tolist() == [0, 0, 1, 2]

    def test_none_is_a_value(self, index: DimensionIndex) -> None:
        assert index.values("user_id") == ("u1", "u2", None)
        assert index.values("model") == ("ada", "bob")
        assert index.column("user_id").tolist() == [0, 1, 2]


class TestMatching:
    @pytest.mark.parametrize(
        ("filters", "matches"),
        [
            ((), [True, True, True]),
            ((Filter("model", frozenset(["ada"])),), [True, True, False]),
            ((Filter("model", frozenset(["ada"]), exclude=True),), [False, False, True]),
            ((Filter("user_id", frozenset([None])),), [False, False, True]),
            ((Filter("model", frozenset(["ada"])), Filter("api_key_id", frozenset(["k1"]))), [True, False, False]),
            ((Filter("model", frozenset(["unknown"])),), [False, False, False]),
            ((Filter("model", frozenset()),), [False, False, False]),
        ],
    )
    def test_filters(self, filters: tuple[Filter, ...], matches: list[bool], index: DimensionIndex) -> None:
        assert index.matching(view(filters=filters), Names()).tolist() == matches

    def test_search_compares_grouped_dimensions(self, index: DimensionIndex) -> None:
        assert index.matching(view(search="P2", grouping=("project_id",)), Names()).tolist() == [
            False,
            False,
            True,
        ]
        assert not index.matching(view(search="p2", grouping=("model",)), Names()).any()

    def test_search_compares_all_dimensions_without_grouping(self, index: DimensionIndex) -> None:
        assert index.matching(view(search=" k1 "), Names()).tolist() == [True, False, True]
        assert index.matching(view(search="no user"), Names()).tolist() == [False, False, True]
        assert index.matching(view(search="no key (web"), Names()).tolist() == [False, True, False]

    def test_search_compares_names(self, index: DimensionIndex) -> None:
        names = Names.of([Name("user", "u2", "Zoë")])
        assert index.matching(view(search="ZOË"), names).tolist() == [False, True, False]


class TestGroups:
    def test_groups_have_numbers_and_an_example(self, index: DimensionIndex) -> None:
        groups = index.groups(("model",), np.ones(3, np.bool_))
        assert (groups.group_of.tolist(), groups.example.tolist()) == ([0, 0, 1], [0, 2])

    def test_combinations_that_do_not_match_have_no_group(self, index: DimensionIndex) -> None:
        groups = index.groups(("model",), np.array([False, True, True]))
        assert (groups.group_of.tolist(), groups.example.tolist()) == ([-1, 0, 1], [1, 2])

    def test_no_grouping_is_one_group(self, index: DimensionIndex) -> None:
        assert index.groups((), np.ones(3, np.bool_)).group_of.tolist() == [0, 0, 0]
        assert len(index.groups((), np.zeros(3, np.bool_))) == 0

    def test_more_values_than_a_key_has_numbers(self) -> None:
        data = DATASETS["completions"]
        many: list[Combination] = [tuple(f"{index * step % 2000}" for step in range(1, 8)) for index in range(2000)]
        index = DimensionIndex(data, [*many, *((*item[:6], "another") for item in many[:1000])])
        all_match = np.ones(3000, np.bool_)
        assert len(index.groups(data.group_by, all_match)) == 3000
        assert len(index.groups(data.group_by[:6], all_match)) == 2000
