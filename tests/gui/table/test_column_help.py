"""What the heads say in their tooltips."""

from collections.abc import Callable
from dataclasses import replace

from usage_viewer.domain.catalog import DATASETS, Derived
from usage_viewer.domain.table import FigureColumn, Table
from usage_viewer.gui.table.column_help import definition, formula, header_tip

COMPLETIONS = DATASETS["completions"]


def _formula(name: str) -> str:
    item = definition(name, COMPLETIONS)
    assert isinstance(item, Derived)
    return formula(item, COMPLETIONS)


def test_formulas_are_in_the_columns_labels() -> None:
    assert _formula("cached_share") == "Cached ÷ Input"
    assert _formula("total_tokens") == "Input + Output"
    assert _formula("tokens_per_request") == "(Input + Output) ÷ Requests"


def test_a_figure_the_dataset_does_not_know_has_no_definition() -> None:
    assert definition("tokens_on_mars", COMPLETIONS) is None


def test_a_metric_says_its_unit_meaning_and_how_it_adds_up(models: Table) -> None:
    tip = header_tip(models.by_name["input_tokens"], COMPLETIONS)
    assert tip.splitlines() == [
        "Input (tokens)",
        "All input tokens: uncached, cached and written to the cache.",
        "Summed over everything that a row is about.",
    ]


def test_a_derived_figure_says_its_formula(models: Table) -> None:
    tip = header_tip(models.by_name["cached_share"], COMPLETIONS)
    assert tip.splitlines()[0] == "Cached share"
    assert "Cached ÷ Input, computed from the sums of each row." in tip


def test_a_level_says_so(table_of: Callable[..., Table]) -> None:
    column = table_of("vector_stores", project_id=["a"], usage_bytes=[1]).by_name["usage_bytes"]
    assert "A level: the last value" in header_tip(column, DATASETS["vector_stores"])


def test_means_and_peaks_say_what_they_are_of(table_of: Callable[..., Table]) -> None:
    table = table_of("vector_stores", project_id=["a"], usage_bytes_mean=[1.5], usage_bytes_peak=[2])
    told = [
        header_tip(table.by_name[f"usage_bytes_{name}"], DATASETS["vector_stores"]) for name in ("mean", "peak")
    ]
    assert [text.splitlines()[0] for text in told] == ["Stored, mean (bytes)", "Stored, peak (bytes)"]
    assert "its mean over the period" in told[0]
    assert "its peak in the period" in told[1]


def test_money_says_its_currency_or_where_it_stands(table_of: Callable[..., Table]) -> None:
    column = table_of("costs", line_item=["a"], amount=[1]).by_name["amount"]
    assert isinstance(column, FigureColumn)
    dollars = replace(column, label="Amount (USD)", measure="USD")
    assert header_tip(dollars, DATASETS["costs"]).splitlines()[0] == "Amount (USD)"
    mixed = replace(column, unit_from="currency")
    told = header_tip(mixed, DATASETS["costs"])
    assert "In more than one unit, which are never added: see Currency." in told
