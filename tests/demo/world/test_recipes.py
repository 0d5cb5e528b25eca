"""Wholes from leaves."""

import numpy as np
import pytest

from usage_viewer.demo.world.catalog import CACHE_WRITES_SINCE, DETAIL_SINCE
from usage_viewer.demo.world.recipes import RECIPES, missing_before, with_wholes
from usage_viewer.domain.catalog import DATASETS, Aggregation


def test_wholes_of_wholes_are_summed() -> None:
    dataset = DATASETS["completions"]
    wholes = {identity.whole for identity in dataset.identities}
    leaves = [metric.name for metric in dataset.metrics if metric.name not in wholes]
    given = {name: np.array([2**place], np.int64) for place, name in enumerate(leaves)}
    full = {name: int(values[0]) for name, values in with_wholes(dataset, given).items()}
    assert list(full) == [metric.name for metric in dataset.metrics]
    for identity in dataset.identities:
        assert full[identity.whole] == sum(full[part] for part in identity.parts)
    inputs = [full[name] for name in leaves if name.startswith("input")]
    assert full["input_tokens"] == sum(inputs)


def test_required_metrics_are_never_missing() -> None:
    for dataset in DATASETS.values():
        required = {metric.name for metric in dataset.metrics if metric.required}
        assert not required & set(missing_before(dataset))


def test_older_answers_lack_what_came_later() -> None:
    since = missing_before(DATASETS["completions"])
    assert since["input_uncached_tokens"] == DETAIL_SINCE
    assert since["input_cache_write_30m_tokens"] == CACHE_WRITES_SINCE
    assert "input_cached_tokens" not in since
    assert "input_audio_tokens" not in since


FLOWS = [
    dataset.name
    for dataset in DATASETS.values()
    if dataset.name != "costs" and dataset.metrics[0].aggregation is Aggregation.SUM
]


def test_every_dataset_of_flows_has_a_recipe() -> None:
    assert set(RECIPES) == set(FLOWS)


@pytest.mark.parametrize("name", [name for name in FLOWS if not DATASETS[name].identities])
def test_a_recipe_makes_all_metrics(name: str) -> None:
    recipe = RECIPES[name]
    assert {recipe.lead, *(metric for metric, _ in recipe.per)} == {item.name for item in DATASETS[name].metrics}
