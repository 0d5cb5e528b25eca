"""Tests the generated combinations of dimension values."""

import pytest

from usage_viewer.demo.world.combinations import make_combinations
from usage_viewer.demo.world.directory import make_directory
from usage_viewer.domain.catalog import API_DATASETS, Dataset

DIRECTORY = make_directory(1)
USAGE = [dataset for dataset in API_DATASETS.values() if dataset.name != "costs"]


@pytest.mark.parametrize("dataset", USAGE, ids=lambda dataset: dataset.name)
def test_combinations_are_unique_with_a_value_for_each_dimension(dataset: Dataset) -> None:
    combinations = make_combinations(dataset, DIRECTORY, 1, 40, 5.0)
    assert len(set(combinations.values)) == len(combinations) > 10
    assert {len(values) for values in combinations.values} == {len(dataset.dimensions)}
    assert bool((combinations.since < combinations.until).all())
    for dimension, values in zip(dataset.dimensions, zip(*combinations.values, strict=True), strict=True):
        assert len(set(values)) > 1, dimension.name
        if dimension.boolean:
            assert set(values) <= {"true", "false", None}


def test_completions_have_realistic_values() -> None:
    dataset = API_DATASETS["completions"]
    combinations = make_combinations(dataset, DIRECTORY, 1, 120, 15.0)
    assert len(combinations) == 120
    column = {
        dimension.name: {values[place] for values in combinations.values}
        for place, dimension in enumerate(dataset.dimensions)
    }
    assert None in column["user_id"]
    assert None in column["api_key_id"]
    assert len(column["model"]) >= 13
    assert column["batch"] == {"true", "false"}
    assert {"default", "flex", "priority"} <= column["service_tier"]
    assert column["api_source"] == {"unlabeled", "agents_api"}
    deleted = {user.id for user in DIRECTORY.users if user.deleted}
    assert deleted & column["user_id"]
    assert {project.id for project in DIRECTORY.projects if project.deleted} & column["project_id"]


def test_combinations_depend_on_the_seed() -> None:
    dataset = API_DATASETS["completions"]
    one = make_combinations(dataset, DIRECTORY, 1, 50, 5.0)
    assert make_combinations(dataset, DIRECTORY, 1, 50, 5.0).values == one.values
    assert make_combinations(dataset, DIRECTORY, 2, 50, 5.0).values != one.values


def test_runaway_combination_has_no_missing_value() -> None:
    combinations = make_combinations(API_DATASETS["completions"], DIRECTORY, 1, 120, 15.0)
    assert None not in combinations.values[combinations.runaway]
