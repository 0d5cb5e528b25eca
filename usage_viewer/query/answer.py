"""Answers a view: reads its parts, combines them and builds the table."""

from collections.abc import Callable
from dataclasses import replace

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.cost_figures import has_costs
from usage_viewer.domain.last_used_column import last_used_columns
from usage_viewer.domain.names import Names
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.query.combine import combine
from usage_viewer.query.empty_rows import with_empty_rows
from usage_viewer.query.pivot import build_pivot
from usage_viewer.query.plan import FactSums, Part, Plan, periods_without_whole_cost
from usage_viewer.query.table_builder import build_table

Reader = Callable[[Part, Cancellation], FactSums]
"""Reads the sums of one part, as `Store.read` does."""


def answer(
    view: ViewState, plan: Plan, read: Reader, names: Names, cancellation: Cancellation | None = None
) -> tuple[Table, tuple[str, ...]]:
    """Return the table of a view, in no particular order of rows, and sentences about it.

    `plan` is the view's plan; `names` are the labels of ids. Raises Cancelled, and what `read` raises.
    """
    cancellation = cancellation or Cancellation()
    sums = []
    for part in plan.parts:
        sums.append(read(part, cancellation))
        cancellation.check()
    combined = combine(plan, sums)
    if has_costs(view.dataset):
        combined = replace(combined, unpriced=periods_without_whole_cost(plan))
    build = build_table if view.pivot is None else build_pivot
    table = build(view, plan.coverage, combined, names)
    cancellation.check()
    notes = tuple(dict.fromkeys(note for item in sums for note in item.notes))
    if not view.include_empty:
        return table, notes
    table, note = with_empty_rows(table, view, plan.coverage, names)
    added = last_used_columns(table.groups, names, view.tzinfo)
    return replace(table, columns=(*table.heads, *added, *table.figures)), (*notes, note)
