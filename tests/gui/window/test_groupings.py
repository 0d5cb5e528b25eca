"""Tests each of the 128 groupings of completions: every metric's sums equal the oracle's exactly."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

from tests.rigs.window import Oracle, WindowRig, WindowUnderTest, shown_sums
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.view import ViewState

DATA = DATASETS["completions"]
METRICS = tuple(metric.name for metric in DATA.metrics)
GROUPINGS = [names for count in range(len(DATA.group_by) + 1) for names in combinations(DATA.group_by, count)]


def test_every_grouping_has_the_oracle_s_sums(rig: WindowRig, oracle: Oracle) -> None:
    window = rig.start()
    today = datetime.fromtimestamp(rig.clock(), UTC).date()
    days = DateRange.days(today - timedelta(days=2), today)
    view = replace(window.workspace.view, range=days, columns=METRICS)
    asked = len(rig.server.requests)
    assert len(GROUPINGS) == 128
    for number, grouping in enumerate(GROUPINGS):
        _check(
            rig,
            window,
            view.with_grouping(grouping).with_per(Granularity.DAY if number % 3 else Granularity.TOTAL),
            oracle,
        )
    assert len(rig.server.requests) == asked


def _check(
    rig: WindowRig,
    window: WindowUnderTest,
    view: ViewState,
    oracle: Oracle,
) -> None:
    rig.settle(window, lambda: window.workspace.show_view(view))
    assert shown_sums(window) == oracle.sums(view), view.grouping
    for name, total in oracle.totals(view).items():
        column = window.page.model.table.by_name[name]
        assert isinstance(column, FigureColumn)
        assert column.total == total
