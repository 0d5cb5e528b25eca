"""Tests totals of leaf metrics, and the recipes."""

import numpy as np
import pytest

from usage_viewer.demo.world.catalog import CACHE_WRITES_SINCE, DETAIL_SINCE
from usage_viewer.demo.world.recipes import RECIPES, add_totals, available_since
from usage_viewer.domain.catalog import API_DATASETS, Aggregation


def test_totals_of_totals_are_summed() -> None:
    dataset = API_DATASETS["completions"]
    totals = {identity.whole for identity in dataset.identities}
    leaves = [metric.name for metric in dataset.metrics if metric.name not in totals]
    leaf_values = {name: np.array([2**place], np.int64) for place, name in enumerate(leaves)}
    complete = {name: int(values[0]) for name, values in add_totals(dataset, leaf_values).items()}
    assert list(complete) == [metric.name for metric in dataset.metrics]
    for identity in dataset.identities:
        assert complete[identity.whole] == sum(complete[part] for part in identity.parts)
    inputs = [complete[name] for name in leaves if name.startswith("input")]
    assert complete["input_tokens"] == sum(inputs)


def test_required_metrics_are_never_missing() -> None:
    for dataset in API_DATASETS.values():
        required = {metric.name for metric in dataset.metrics if metric.required}
        assert not required & set(available_since(dataset))


def test_older_responses_lack_later_metrics() -> None:
    since = available_since(API_DATASETS["completions"])
    assert since["input_uncached_tokens"] == DETAIL_SINCE
    assert since["input_cache_write_30m_tokens"] == CACHE_WRITES_SINCE
    assert "input_cached_tokens" not in since
    assert "input_audio_tokens" not in since


SUMMED = [
    dataset.name
    for dataset in API_DATASETS.values()
    if dataset.name != "costs" and dataset.metrics[0].aggregation is Aggregation.SUM
]


def test_each_summed_dataset_has_a_recipe() -> None:
    assert set(RECIPES) == set(SUMMED)


@pytest.mark.parametrize("name", [name for name in SUMMED if not API_DATASETS[name].identities])
def test_recipe_contains_all_metrics(name: str) -> None:
    recipe = RECIPES[name]
    assert {recipe.request_metric, *(metric for metric, _ in recipe.per_request)} == {
        item.name for item in API_DATASETS[name].metrics
    }
