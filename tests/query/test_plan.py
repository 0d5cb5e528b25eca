"""Tests which parts a view needs, and how joined datasets are described."""

from dataclasses import replace
from datetime import UTC

import numpy as np
import pytest

from usage_viewer.domain.catalog import DATASETS, registered
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.dataset import PROFILE
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import BucketWidth, Granularity, Periods
from usage_viewer.domain.view import ViewState
from usage_viewer.query.plan import FactSource, column_name, join_datasets, metrics_needed, plan_view

COSTS, COMPLETIONS, EMBEDDINGS = DATASETS["costs"], DATASETS["completions"], DATASETS["embeddings"]
JOINED = join_datasets("joined", "Joined", [COMPLETIONS, COSTS])


def coverage(unit: BucketWidth = BucketWidth.DAY, end: int = 86400) -> Coverage:
    """Return one complete day."""
    periods = Periods(np.array([0, end], np.int64), Granularity.TOTAL, UTC)
    buckets = 86400 // unit.seconds
    return Coverage(periods, unit, (), (), (), buckets, buckets, 0, 0, None, None)


class TestPlanView:
    def test_ordinary_view_has_one_part(self) -> None:
        view = ViewState(columns=("tokens_per_request",))
        plan = plan_view(view, [FactSource("", view.dataset, coverage())])
        (part,) = plan.parts
        assert part.metrics == ("num_model_requests", "input_tokens", "output_tokens")
        assert (part.dataset, part.levels, plan.coverage.summary) == (COMPLETIONS, (), "Complete: 1 day")

    def test_means_and_peaks_need_levels(self) -> None:
        view = ViewState("vector_stores", grouping=(), columns=("usage_bytes_mean",))
        (part,) = plan_view(view, [FactSource("", view.dataset, coverage())]).parts
        assert part.metrics == part.levels == ("usage_bytes",)

    def test_view_across_organizations_has_a_part_for_each(self) -> None:
        view = ViewState().across(["a", "b"])
        plan = plan_view(view, [FactSource(name, COMPLETIONS, coverage()) for name in "ab"])
        assert [part.profile for part in plan.parts] == ["a", "b"]
        assert plan.dataset.dimensions[0] is PROFILE
        assert (plan.coverage.expected, plan.coverage.organizations) == (2, 2)

    def test_join_has_a_part_for_each_dataset_with_a_shown_metric(self) -> None:
        with registered(JOINED):
            sources = [
                FactSource("", COMPLETIONS, coverage(BucketWidth.HOUR)),
                FactSource("", COSTS, coverage(BucketWidth.DAY)),
            ]
            both = plan_view(ViewState("joined", grouping=(), columns=("amount", "total_tokens")), sources)
            only_costs = plan_view(ViewState("joined", grouping=(), columns=("amount",)), sources)
        assert [part.metrics for part in both.parts] == [("input_tokens", "output_tokens"), ("amount",)]
        assert [part.dataset.name for part in only_costs.parts] == ["costs"]

    def test_join_counts_buckets_of_the_finest_width(self) -> None:
        with registered(JOINED):
            view = ViewState("joined", grouping=(), columns=("amount", "total_tokens"))
            sources = [
                FactSource("", COMPLETIONS, coverage(BucketWidth.HOUR)),
                FactSource("", COSTS, coverage(BucketWidth.DAY)),
            ]
            counted = plan_view(view, sources).coverage
        assert (counted.unit, counted.expected, counted.stored) == (BucketWidth.HOUR, 48, 48)

    def test_different_periods_are_refused(self) -> None:
        sources = [FactSource("a", COMPLETIONS, coverage()), FactSource("b", COMPLETIONS, coverage(end=172800))]
        with pytest.raises(ValueError, match="same periods"):
            plan_view(ViewState().across(["a", "b"]), sources)

    def test_join_refuses_unknown_fields(self) -> None:
        with registered(JOINED), pytest.raises(InputError, match="can't be joined"):
            plan_view(
                ViewState("joined", grouping=("extra.region",)),
                [FactSource("", COMPLETIONS, coverage()), FactSource("", COSTS, coverage())],
            )


def test_only_metrics_of_shown_columns_are_needed() -> None:
    view = ViewState(columns=("tokens_per_request", "output_tokens"))
    assert metrics_needed(view) == ("num_model_requests", "input_tokens", "output_tokens")


class TestJoinDatasets:
    def test_dimensions_are_the_shared_ones_and_units(self) -> None:
        names = [item.name for item in JOINED.dimensions]
        assert names == ["project_id", "user_id", "api_key_id", "api_source", "currency", "quantity_unit"]

    def test_bucket_widths_are_the_shared_ones(self) -> None:
        assert JOINED.widths == (BucketWidth.DAY,)
        assert join_datasets("both", "Both", [COMPLETIONS, EMBEDDINGS]).widths == COMPLETIONS.widths

    def test_figures_keep_their_names_if_only_one_dataset_has_them(self) -> None:
        assert {item.name for item in JOINED.columns} == {
            item.name for item in (*COMPLETIONS.columns, *COSTS.columns)
        }

    def test_figures_of_equal_names_are_qualified(self) -> None:
        both = join_datasets("both", "Both", [COMPLETIONS, EMBEDDINGS])
        assert both.metric("embeddings.input_tokens").label == "Input, Embeddings"
        assert both.has_column("completions.tokens_per_request")
        assert not both.has_column("input_tokens")
        assert column_name(both, EMBEDDINGS, "input_tokens") == "embeddings.input_tokens"
        assert column_name(both, COMPLETIONS, "output_tokens") == "output_tokens"
        with registered(both):
            view = ViewState("both", columns=("completions.tokens_per_request",))
            assert metrics_needed(view) == (
                "completions.num_model_requests",
                "completions.input_tokens",
                "output_tokens",
            )

    def test_datasets_without_a_shared_dimension_or_width_are_refused(self) -> None:
        hourly = replace(EMBEDDINGS, page_limits={BucketWidth.HOUR: EMBEDDINGS.page_limits[BucketWidth.HOUR]})
        for other in (replace(EMBEDDINGS, dimensions=()), hourly):
            with pytest.raises(ValueError, match="share no dimension or no bucket width"):
                join_datasets("none", "None", [COSTS, other])
