"""Tests that the names in each dataset's entry fit together."""

import pytest

from usage_viewer.domain.catalog import (
    API_DATASETS,
    DATASETS,
    Aggregation,
    Dataset,
    Dimension,
    Metric,
    PageLimit,
    registered,
)
from usage_viewer.domain.period import BucketWidth


@pytest.mark.parametrize("data", DATASETS.values(), ids=DATASETS)
def test_entry_is_consistent(data: Dataset) -> None:
    assert data.computed or data.path.startswith("/organization/")
    assert data.computed or data.object.startswith("organization.")
    for name in data.default_columns:
        assert data.has_column(name)
    for name in data.default_grouping:
        assert data.has_dimension(name)
    assert list(data.widths) == sorted(data.page_limits, key=lambda width: -width.seconds)
    for limit in data.page_limits.values():
        assert 0 < limit.default <= limit.maximum
    assert all(dimension.label for dimension in data.dimensions)
    assert all(column.label for column in data.columns)


def test_there_are_twelve_datasets() -> None:
    assert len(API_DATASETS) == 12
    assert [name for name in DATASETS if name not in API_DATASETS] == ["spend"]


def test_completions_have_the_first_fields_of_the_api() -> None:
    data = DATASETS["completions"]
    names = {*data.group_by, *(metric.name for metric in data.metrics)}
    assert names >= {
        "input_tokens",
        "input_cached_tokens",
        "output_tokens",
        "input_audio_tokens",
        "output_audio_tokens",
        "num_model_requests",
        "project_id",
        "user_id",
        "api_key_id",
        "model",
        "batch",
    }


def test_unrequested_dimensions_are_not_in_group_by() -> None:
    assert "currency" not in DATASETS["costs"].group_by
    assert DATASETS["costs"].has_dimension("currency")


def test_duplicate_name_is_refused() -> None:
    with pytest.raises(ValueError, match="duplicate name"):
        Dataset(
            name="x",
            label="X",
            path="/x",
            object="x",
            dimensions=(Dimension("a", "A"),),
            metrics=(Metric("a", "A", "a"),),
            page_limits={BucketWidth.DAY: PageLimit(7, 31)},
            default_columns=("a",),
        )


def test_registered_dataset_is_known_within_the_context() -> None:
    one = Dataset(
        "more", "More", "/more", "more", (), (Metric("n", "N", ""),), {BucketWidth.HOUR: PageLimit(1, 2)}, ("n",)
    )
    with registered(one):
        assert DATASETS["more"] is one
        assert list(DATASETS)[-1] == "more"
        with pytest.raises(ValueError, match="already registered"), registered(one):
            pass
    assert "more" not in DATASETS
    with pytest.raises(TypeError):
        DATASETS["more"] = one  # type: ignore[index]


def test_levels_have_a_mean_and_a_peak() -> None:
    for data in DATASETS.values():
        named = {item.level for item in data.over_time}
        assert named == {item.name for item in data.metrics if item.aggregation is Aggregation.LEVEL}
        assert data.has_levels is bool(named)
