"""Combinations as small integers: their ids, which pass, and their groups."""

import numpy as np
import pytest

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.view import Filter, ViewState
from usage_viewer.query.dimension_index import DimensionIndex

DATA = DATASETS["embeddings"]  # project, user, API key, model
FIRST: list[Combination] = [("p1", "u1", "k1", "ada"), ("p1", "u2", None, "ada"), ("p2", None, "k1", "bob")]


@pytest.fixture
def combinations() -> DimensionIndex:
    return DimensionIndex(DATA, FIRST)


def view(**changes: object) -> ViewState:
    return ViewState(**{"dataset_name": "embeddings", "grouping": (), **changes})  # type: ignore[arg-type]


class TestAdd:
    def test_gives_new_ones_the_next_ids(self, combinations: DimensionIndex) -> None:
        new: Combination = ("p1", "u1", "k1", "bob")
        assert combinations.add([FIRST[2], new, FIRST[0], new]).tolist() == [2, 3, 0, 3]
        assert combinations.combinations(2) == [FIRST[2], new]
        assert len(combinations) == 4

    def test_nothing_changes_nothing(self, combinations: DimensionIndex) -> None:
        assert combinations.add([]).tolist() == []
        assert len(combinations) == 3

    def test_keeps_both_ids_of_what_was_kept_twice(self) -> None:
        twice = DimensionIndex(DATA, [FIRST[0], FIRST[0], FIRST[1]])
        assert len(twice) == 3
        assert twice.add([FIRST[1], FIRST[0], FIRST[2]]).tolist() == [2, 0, 3]
        assert twice.groups(DATA.group_by, np.ones(4, np.bool_)).group_of.tolist() == [0, 0, 1, 2]

    def test_none_is_a_value(self, combinations: DimensionIndex) -> None:
        assert combinations.values("user_id") == ("u1", "u2", None)
        assert combinations.values("model") == ("ada", "bob")
        assert combinations.column("user_id").tolist() == [0, 1, 2]


class TestPassing:
    @pytest.mark.parametrize(
        ("filters", "passing"),
        [
            ((), [True, True, True]),
            ((Filter("model", frozenset(["ada"])),), [True, True, False]),
            ((Filter("model", frozenset(["ada"]), exclude=True),), [False, False, True]),
            ((Filter("user_id", frozenset([None])),), [False, False, True]),
            ((Filter("model", frozenset(["ada"])), Filter("api_key_id", frozenset(["k1"]))), [True, False, False]),
            ((Filter("model", frozenset(["unheard of"])),), [False, False, False]),
            ((Filter("model", frozenset()),), [False, False, False]),
        ],
    )
    def test_filters(self, filters: tuple[Filter, ...], passing: list[bool], combinations: DimensionIndex) -> None:
        assert combinations.matching(view(filters=filters), Names()).tolist() == passing

    def test_searches_what_is_grouped(self, combinations: DimensionIndex) -> None:
        assert combinations.matching(view(search="P2", grouping=("project_id",)), Names()).tolist() == [
            False,
            False,
            True,
        ]
        assert not combinations.matching(view(search="p2", grouping=("model",)), Names()).any()

    def test_searches_all_where_nothing_is_grouped(self, combinations: DimensionIndex) -> None:
        assert combinations.matching(view(search=" k1 "), Names()).tolist() == [True, False, True]
        assert combinations.matching(view(search="(none)"), Names()).tolist() == [False, True, True]

    def test_searches_names(self, combinations: DimensionIndex) -> None:
        names = Names.of([Name("user", "u2", "Zoë")])
        assert combinations.matching(view(search="ZOË"), names).tolist() == [False, True, False]


class TestGroups:
    def test_have_numbers_and_an_example(self, combinations: DimensionIndex) -> None:
        groups = combinations.groups(("model",), np.ones(3, np.bool_))
        assert (groups.group_of.tolist(), groups.example.tolist()) == ([0, 0, 1], [0, 2])

    def test_leave_out_what_does_not_pass(self, combinations: DimensionIndex) -> None:
        groups = combinations.groups(("model",), np.array([False, True, True]))
        assert (groups.group_of.tolist(), groups.example.tolist()) == ([-1, 0, 1], [1, 2])

    def test_of_nothing_is_one_for_all(self, combinations: DimensionIndex) -> None:
        assert combinations.groups((), np.ones(3, np.bool_)).group_of.tolist() == [0, 0, 0]
        assert len(combinations.groups((), np.zeros(3, np.bool_))) == 0

    def test_of_more_values_than_a_number_can_tell(self) -> None:
        data = DATASETS["completions"]
        many: list[Combination] = [tuple(f"{index * step % 2000}" for step in range(1, 8)) for index in range(2000)]
        combinations = DimensionIndex(data, [*many, *((*item[:6], "another") for item in many[:1000])])
        everything = np.ones(3000, np.bool_)
        assert len(combinations.groups(data.group_by, everything)) == 3000
        assert len(combinations.groups(data.group_by[:6], everything)) == 2000
