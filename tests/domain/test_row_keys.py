"""Tests finding the rows of one table in another."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_viewer.domain.row_keys import RowKeys, find_rows, keys_of
from usage_viewer.domain.table import Table

TableOf = Callable[..., Table]
Row = tuple[int, str | None, str | None]
ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["a", "b", "c", None]), st.sampled_from(["x", "y", None])),
    min_size=1,
    unique=True,
)


def _table(table_of: TableOf, rows: list[Row]) -> Table:
    period, model, project = zip(*rows, strict=True)
    return table_of(period=period, model=model, project_id=project, input_tokens=[1] * len(rows))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=ROWS, after=ROWS)
def test_finds_each_row_or_reports_it_absent(table_of: TableOf, before: list[Row], after: list[Row]) -> None:
    keys = keys_of(_table(table_of, before), range(len(before)))
    found = find_rows(_table(table_of, after), keys).tolist()
    assert found == [after.index(row) if row in after else -1 for row in before]


def test_other_grouping_has_no_common_rows(table_of: TableOf) -> None:
    keys = keys_of(table_of(model=["a"], input_tokens=[1]), [0])
    assert find_rows(table_of(project_id=["a"], input_tokens=[1]), keys).tolist() == [-1]


def test_table_without_groups_has_one_row(table_of: TableOf) -> None:
    table = table_of(input_tokens=[5])
    assert keys_of(table, [0]) == RowKeys((), ((),))
    assert find_rows(table, keys_of(table, [0])).tolist() == [0]
