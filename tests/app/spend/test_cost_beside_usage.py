"""Views of usage show what their rows cost: the amounts of spend, and nothing where no cost is known."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.app.test_unavailable import failing
from tests.rigs.sessions import NOW, SessionRig, days, fetch, sums
from usage_viewer.app.session.combined import CombinedSession
from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.spend.computed_views import ONLY_BY_DAY
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.cost_figures import COST_FIGURES, has_costs, with_costs, without_costs
from usage_viewer.domain.errors import InputError, UsageViewerError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import FigureColumn, GroupColumn, PeriodColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import NOT_AVAILABLE, Filter

COLUMNS = ("num_model_requests", "input_tokens", "output_tokens", *COST_FIGURES)
USAGE = days("10-21", "10-23", grouping=("model", "batch"), columns=COLUMNS)
SPEND = days("10-21", "10-23", dataset_name="spend", grouping=("model", "batch"), columns=("amount",))
COMPLETIONS_ONLY = Filter("service", frozenset(["completions"]))


def test_cost_of_each_row_is_its_spend(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, USAGE)
    assert not session.coverage(USAGE).to_fetch
    for grouping in (("model", "batch"), ("user_id",), ("project_id", "api_key_id"), ("service_tier",)):
        for per in (Granularity.TOTAL, Granularity.DAY):
            usage = session.look(USAGE.with_grouping(grouping).with_per(per))
            spend = session.look(SPEND.with_grouping(grouping).with_per(per).with_filter(COMPLETIONS_ONLY))
            costs = {key: cost for key, cost in sums(usage, "cost").items() if cost is not None}
            assert costs == sums(spend, "amount")
            column = usage.table.by_name["cost"]
            assert isinstance(column, FigureColumn)
            assert column.total == spend.table.by_name["amount"].total
            assert column.label == "Cost (USD)"
    key = (next(iter(sums(session.look(USAGE), "cost")))[0], "false")
    chosen = Filter("model", frozenset([key[0]]))
    assert sums(session.look(USAGE.with_filter(chosen)), "cost")[key] == sums(session.look(USAGE), "cost")[key]


def test_cost_per_request_and_per_million_tokens(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, USAGE)
    result = session.look(USAGE)
    figures = {name: sums(result, name) for name in COLUMNS}
    for key, cost in figures["cost"].items():
        per_request, per_million = (figures[name][key] for name in COST_FIGURES[1:3])
        tokens = figures["input_tokens"][key] + figures["output_tokens"][key]
        assert abs(per_request * figures["num_model_requests"][key] - cost) <= cost / 10**8
        assert abs(per_million * tokens - cost * 10**6) <= cost * 10**6 / 10**8


def test_usage_without_a_known_cost_shows_none_and_not_zero(rig: SessionRig) -> None:
    session = rig.session()
    view = days("10-21", "10-23", dataset_name="images", grouping=("model", "size"), columns=COST_FIGURES[:2])
    fetch(session, view)
    result = session.look(replace(view, columns=("images", *COST_FIGURES[:2])))
    images = sums(result, "images")
    assert len(images) > 2
    for name in COST_FIGURES[:2]:
        known = {key: cost for key, cost in sums(result, name).items() if key[1] not in (None, NOT_AVAILABLE)}
        assert known.keys() <= images.keys()
        assert set(known.values()) == {None}


def test_figures_of_usage_are_the_same_with_and_without_cost(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, USAGE)
    plain = USAGE.with_columns(COLUMNS[:3])
    for name in COLUMNS[:3]:
        assert sums(session.look(USAGE), name) == sums(session.look(plain), name)
    assert session.look(USAGE).coverage.summary == session.look(plain).coverage.summary
    assert session.completeness(USAGE) == session.completeness(plain)


def test_without_costs_usage_is_shown(rig: SessionRig) -> None:
    session = rig.session()
    rig.server.faults = failing("costs", 403)
    with pytest.raises(UsageViewerError):
        fetch(session, USAGE)
    result = session.look(USAGE)
    assert result.coverage.complete
    assert not result.coverage.to_fetch
    assert set(sums(result, "cost").values()) == {None}
    assert all(sums(result, "num_model_requests").values())


def test_hours_have_no_cost_and_that_is_said(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, USAGE)
    hourly = USAGE.with_per(Granularity.HOUR)
    fetch(session, hourly)
    result = session.look(hourly)
    assert ONLY_BY_DAY in result.notes
    assert {
        cost for column in result.table.figures if column.name == "cost" for cost in column.figures.listed()
    } == {None}
    assert ONLY_BY_DAY not in session.look(USAGE.with_zone("Etc/UTC")).notes


def test_cost_of_several_organizations_is_added(rig: SessionRig) -> None:
    rig.path = None
    sessions = {"a": rig.session(), "b": rig.session()}
    combined = CombinedSession(sessions, {"a": "A", "b": "B"}, clock=lambda: NOW)
    view = USAGE.across(("a", "b"))
    fetch(combined, view)
    both, one = sums(combined.look(view), "cost"), sums(sessions["a"].look(USAGE), "cost")
    assert both == {key: cost * 2 for key, cost in one.items()}
    spend = SPEND.across(("a", "b"))
    assert sums(combined.look(spend), "amount") == {
        key: amount * 2 for key, amount in sums(sessions["a"].look(SPEND), "amount").items()
    }
    for session in sessions.values():
        assert isinstance(session.look(USAGE).table.by_name["cost"].total, Decimal)


def test_datasets_without_billed_usage_have_no_cost() -> None:
    for name in ("costs", "spend", "vector_stores"):
        assert with_costs(DATASETS[name]) == DATASETS[name]
        with pytest.raises(InputError):
            ViewState(name, grouping=(), columns=("cost",))
    for name, data in DATASETS.items():
        assert without_costs(with_costs(data)) == data
        assert has_costs(with_costs(data)) is (name not in ("costs", "spend", "vector_stores"))


def test_savings_are_own_prices_times_usage(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, USAGE)
    view = replace(SPEND, columns=("amount", "quantity", "saved_by_cache", "saved_by_batch"))
    view = view.with_filter(COMPLETIONS_ONLY)
    kinds = session.look(
        view.with_grouping(("model", "batch", "token_kind", "service_tier")).with_per(Granularity.DAY)
    )
    rows = {name: sums_by_day(kinds, name) for name in view.columns}
    by_cache, by_batch, halves = 0, 0, 0
    for (day, model, batch, kind, tier, *rest), amount in rows["amount"].items():
        key = (day, model, batch, kind, tier, *rest)
        ordinary = (day, model, batch, (kind or "").replace("cached input", "input"), tier, *rest)
        expected = None
        if kind and kind.endswith("cached input") and ordinary in rows["amount"]:
            expected = rows["quantity"][key] * rows["amount"][ordinary] / rows["quantity"][ordinary] - amount
            by_cache += 1
        check_saving(rows["saved_by_cache"][key], expected)
        plain = (day, model, "false", kind, tier, *rest)
        expected = None
        if batch == "true" and plain in rows["amount"]:
            expected = rows["quantity"][key] * rows["amount"][plain] / rows["quantity"][plain] - amount
            halves += abs(expected - amount) < Decimal("1e-9")
            by_batch += 1
        check_saving(rows["saved_by_batch"][key], expected)
    assert by_cache > 20
    assert by_batch > 20
    assert halves > 20, "batches cost half, but for models with lines of several prices"
    beside = replace(USAGE, columns=("saved_by_cache", "saved_by_batch")).with_grouping(())
    for column in session.look(beside).table.figures:
        assert column.total == sum(value for value in rows[column.name].values() if value is not None) > 0


def check_saving(found: Decimal | None, expected: Decimal | None) -> None:
    assert (found is None) is (expected is None)
    if found is not None and expected is not None:
        assert abs(found - expected) < Decimal("1e-9")


def sums_by_day(result: ViewResult, name: str) -> dict[tuple[Any, ...], Any]:
    """Return a figure of each row, by day and raw values."""
    (period,) = (column for column in result.table.columns if isinstance(column, PeriodColumn))
    heads = [column for column in result.table.columns if isinstance(column, GroupColumn)]
    keys = zip(
        period.index.tolist(),
        *([column.values[code] for code in column.codes.tolist()] for column in heads),
        strict=True,
    )
    figures = result.table.by_name[name]
    assert isinstance(figures, FigureColumn)
    return dict(zip(keys, figures.figures.listed(), strict=True))
