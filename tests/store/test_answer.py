"""Answers equal what plain Python adds up, to the last digit."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import chain, combinations
from typing import Any

import pytest

from usage_viewer.domain.datasets import DATASETS
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import Per, Width
from usage_viewer.domain.tables import Table
from usage_viewer.domain.view import Filter, ViewState
from usage_viewer.store import Store

COMPLETIONS = DATASETS["completions"]
DIMENSIONS = COMPLETIONS.group_by
GROUPINGS = list(chain.from_iterable(combinations(DIMENSIONS, size) for size in range(len(DIMENSIONS) + 1)))
METRICS = tuple(metric.name for metric in COMPLETIONS.metrics)
T0, HOUR, DAY = 1_793_491_200, 3600, 86400
FILTERS = (
    Filter("model", frozenset(["model-a", "model-b", None])),
    Filter("service_tier", frozenset(["service_tier-a"]), exclude=True),
)

Make = Callable[..., Any]
Cells = Callable[..., dict[tuple[int | str | None, ...], dict[str, Any]]]


@pytest.fixture(scope="module")
def filled() -> Any:
    store = Store.open(None)
    yield store
    store.close()


class TestEveryGrouping:
    @pytest.mark.parametrize("grouping", GROUPINGS, ids=lambda names: "+".join(names) or "nothing")
    def test_equals_the_oracle(
        self,
        grouping: tuple[str, ...],
        filled: Store,
        make_usage: Make,
        ask: Make,
        between: Make,
        shown: Cells,
        oracle: Cells,
    ) -> None:
        usage = make_usage(T0, 72, rows_each=40)
        if not filled.rows("completions"):
            filled.put(usage.batch(), T0 + 100 * DAY)
        base = ViewState(range=between(), grouping=grouping, columns=METRICS)
        for per in (Per.TOTAL, Per.DAY, Per.HOUR):
            for search, filters in (("", ()), ("", FILTERS), ("-a", FILTERS[:1])):
                view = replace(base, per=per, search=search, filters=filters)
                table = ask(filled, view)
                wanted = oracle(usage.rows, view, METRICS)
                assert shown(table) == wanted
                for column in table.figures:
                    given = [cell[column.name] for cell in wanted.values() if cell[column.name] is not None]
                    assert column.total == (sum(given) if given else None)

    def test_there_are_as_many_as_subsets(self) -> None:
        assert len(GROUPINGS) == 2**7
