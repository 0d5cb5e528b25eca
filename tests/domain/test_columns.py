"""Tests what columns know: alignment, help, values, members, and the keys of pivots and comparisons."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.column import Alignment, Member
from usage_viewer.domain.table import Table

COMPLETIONS, STORES, COSTS = DATASETS["completions"], DATASETS["vector_stores"], DATASETS["costs"]
TableOf = Callable[..., Table]


def test_help_of_a_metric(models: Table) -> None:
    assert models.figure("input_tokens").describe(COMPLETIONS).splitlines() == [
        "Input (tokens)",
        "All input tokens: uncached, cached and written to the cache.",
        "Sum of all usage in this row.",
    ]


def test_help_does_not_repeat_the_label_as_the_unit(models: Table) -> None:
    assert models.figure("num_model_requests").describe(COMPLETIONS).splitlines()[0] == "Requests"


def test_help_of_a_derived_figure_has_its_formula(models: Table) -> None:
    lines = models.figure("cached_share").describe(COMPLETIONS).splitlines()
    assert lines[0] == "Cached share"
    assert "Cached ÷ Input, computed from the sums of this row." in lines


def test_help_of_an_unknown_figure_has_no_explanation(models: Table) -> None:
    column = replace(
        models.figure("input_tokens"), key=models.figure("input_tokens").key.with_name("tokens_on_mars")
    )
    assert "Sum of" not in column.describe(COMPLETIONS)


def test_level_has_its_unit_in_the_header_and_is_explained(table_of: TableOf) -> None:
    column = table_of("vector_stores", project_id=["a"], usage_bytes=[1]).figure("usage_bytes")
    assert column.label == "Stored (bytes)"
    assert column.describe(STORES).splitlines() == [
        "Stored (bytes)",
        "Amount stored at the end of the period; not added up over time.",
    ]


def test_means_and_peaks_are_explained(table_of: TableOf) -> None:
    table = table_of("vector_stores", project_id=["a"], usage_bytes_mean=[1.5], usage_bytes_peak=[2])
    texts = [table.figure(f"usage_bytes_{name}").describe(STORES) for name in ("mean", "peak")]
    assert [text.splitlines()[0] for text in texts] == ["Stored, mean (bytes)", "Stored, peak (bytes)"]
    assert "Average amount stored during the period." in texts[0]
    assert "Largest amount stored at any time in the period." in texts[1]


def test_help_of_money_has_the_currency_or_its_column(table_of: TableOf) -> None:
    column = table_of("costs", line_item=["a"], amount=[1]).figure("amount")
    dollars = replace(column, label="Amount (USD)", measure="USD")
    assert dollars.describe(COSTS).splitlines()[0] == "Amount (USD)"
    mixed = replace(column, unit_from="currency")
    assert "The rows have different units, which are never added: see Currency." in mixed.describe(COSTS)


def test_help_of_heads(table_of: TableOf) -> None:
    table = table_of(period=[0], model=["a"], input_tokens=[1])
    period, model = table.heads
    assert period.describe(COMPLETIONS) == "Day (UTC)\nOne row for each day in UTC."
    assert model.describe(COMPLETIONS) == "Model\nOne row for each value."


def test_columns_know_their_alignment_values_and_members(table_of: TableOf) -> None:
    table = table_of(period=[2], project_id=["p"], input_tokens=[7], labels={"p": "Search"})
    assert [column.alignment for column in table.columns] == [Alignment.LEFT, Alignment.LEFT, Alignment.RIGHT]
    assert [column.value(0) for column in table.columns] == [2, "p", 7]
    assert [column.member(0) for column in table.columns] == [None, Member("project_id", "p", "Search"), None]
    assert [column.largest_first for column in table.columns] == [False, False, True]
    assert [column.total for column in table.columns] == [None, None, 7]


def test_heads_find_the_codes_of_their_parts(table_of: TableOf) -> None:
    for head in table_of(period=[1, 0], model=["a", None], input_tokens=[1, 2]).heads:
        codes = head.codes_at(np.array([1, 0]))
        assert head.codes_of(head.parts(codes)).tolist() == codes.tolist()
        assert head.codes_of([5 if head.name == "period" else "absent"]).tolist() == [-1]
