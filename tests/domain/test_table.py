"""Tests the order of rows against Python's own sort, and the columns of tables."""

from datetime import UTC
from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.tables import COMPARED, KEYS_WITH_LIMITS, PIVOTED
from usage_viewer.domain.catalog import DATASETS, Kind
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import Granularity, Span, periods
from usage_viewer.domain.table import EMPTY, ColumnKey, FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD, SortKey, Value

MODEL = DATASETS["completions"].dimension("model")
VALUES: tuple[Value, ...] = ("b", "A", None, "a", "Ä")
LABELS = ("b", "A", "(none)", "a", "Ä")


def _table(rows: list[tuple[int, int, int | None, Decimal]]) -> Table:
    cut = periods(Span(0, 5 * 86400), Granularity.DAY, UTC)
    missing = np.array([row[2] is None for row in rows], np.bool_)
    return Table(
        (
            PeriodColumn(np.array([row[0] for row in rows], np.int32), cut),
            GroupColumn(MODEL, np.array([row[1] for row in rows], np.int32), VALUES, LABELS),
            FigureColumn(
                ColumnKey("count"),
                "C",
                "",
                Kind.COUNT,
                NumberColumn(np.array([row[2] or 0 for row in rows], np.int64), missing),
                0,
            ),
            FigureColumn(
                ColumnKey("money"),
                "M",
                "",
                Kind.DECIMAL,
                NumberColumn(np.array([row[3] for row in rows], np.object_)),
                None,
            ),
        ),
        len(rows),
    )


ROWS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, len(VALUES) - 1),
        st.none() | st.integers(-(2**62), 2**62),
        st.decimals("-9", "9", places=3),
    ),
    max_size=30,
)
KEYS = st.lists(
    st.builds(SortKey, st.sampled_from([PERIOD, "model", "count", "money", "absent"]), st.booleans()),
    max_size=3,
    unique_by=lambda key: key.column,
)


@given(ROWS, KEYS)
def test_order_equals_pythons_sort(rows: list[tuple[int, int, int | None, Decimal]], order: list[SortKey]) -> None:
    table = _table(rows)
    expected = list(range(len(rows)))
    # Least significant first; each sort is stable. Ties are in the order of period and group.
    named = [key.column.name for key in order]
    tail = [SortKey(name) for name in (PERIOD, "model") if name not in named]
    for key in reversed([*order, *tail]):
        expected = _sorted(rows, expected, key)
    assert table.ordered(order).tolist() == expected


def _sorted(rows: list[tuple[int, int, int | None, Decimal]], at: list[int], key: SortKey) -> list[int]:
    def value(index: int) -> tuple[str, str, str] | int | Decimal | None:
        period, code, count, money = rows[index]
        raw = VALUES[code]
        text = None if raw is None else (LABELS[code].casefold(), LABELS[code], raw)
        return {PERIOD: period, "model": text, "count": count, "money": money}.get(key.column.name, 0)

    present = [index for index in at if value(index) is not None]
    missing = [index for index in at if value(index) is None]
    if key.descending:
        present.reverse()
        present.sort(key=lambda index: value(index), reverse=True)  # type: ignore[return-value,arg-type]
        # Python keeps the order of equal values in a reversed sort: undo the reversal above for them.
        present = _stable_descending(present, at, value)
    else:
        present.sort(key=lambda index: value(index))  # type: ignore[return-value,arg-type]
    return present + missing


def _stable_descending(present: list[int], at: list[int], value: object) -> list[int]:
    assert callable(value)
    place = {index: number for number, index in enumerate(at)}
    groups: dict[object, list[int]] = {}
    for index in present:
        groups.setdefault(value(index), []).append(index)
    return [index for group in groups.values() for index in sorted(group, key=place.__getitem__)]


def test_period_labels() -> None:
    hours = periods(Span(0, 7200), Granularity.HOUR, UTC)
    column = PeriodColumn(np.array([1, 0], np.int32), hours)
    assert column.labels == ("1970-01-01 00:00", "1970-01-01 01:00")
    assert column.bounds(0) == ("1970-01-01T01:00:00Z", "1970-01-01T02:00:00Z")
    assert PeriodColumn(np.array([0], np.int32), periods(Span(0, 86400), Granularity.MONTH, UTC)).labels == (
        "1970-01",
    )


def test_order_of_an_empty_table_is_empty() -> None:
    assert EMPTY.ordered([SortKey("model")]).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 50)), min_size=1, max_size=40), KEYS)
def test_table_with_shared_groups_equals_the_plain_table(
    rows: list[tuple[int, int, int]], keys: list[SortKey]
) -> None:
    """Compares codes for each row with codes for each group, groups being numbered in natural order."""
    plain = _table([(period, code, figure, Decimal(0)) for period, code, figure in rows])
    period, model, *figures = plain.columns
    assert isinstance(model, GroupColumn)
    shown = np.argsort(model.rank).astype(np.int32)
    group = model.rank[model.codes]
    grouped = Table((period, GroupColumn(MODEL, shown, VALUES, LABELS, group), *figures), plain.rows, group)
    column = grouped.by_name["model"]
    assert isinstance(column, GroupColumn)
    assert column.codes.tolist() == model.codes.tolist()
    assert column.codes_at(slice(1, 3)).tolist() == model.codes_at(np.arange(plain.rows)[1:3]).tolist()
    assert [column.code(row) for row in range(plain.rows)] == model.codes.tolist()
    assert grouped.ordered(keys).tolist() == plain.ordered(keys).tolist()
    natural = list(range(plain.rows))
    assert sorted(grouped.ordered(keys).tolist()) == natural


def test_columns_of_a_pivot_are_found_by_key(pivot: Table) -> None:
    assert len(pivot.by_key) == len(pivot.columns)
    assert set(pivot.by_name) == {"project_id", "input_tokens"}
    assert [pivot.figure(key).total for key in (ColumnKey("input_tokens"), *KEYS_WITH_LIMITS)] == [
        111,
        60,
        51,
        6,
        15,
    ]
    assert pivot.find_figure(ColumnKey("output_tokens", compared=True)) is None


def test_rows_are_sorted_by_columns_of_a_pivot_and_a_comparison(pivot: Table) -> None:
    orders = [pivot.ordered([SortKey(key, descending=True)]).tolist() for key in KEYS_WITH_LIMITS]
    assert orders == [[1, 0, 2], [0, 1, 2], [2, 1, 0], [2, 1, 0]]
    assert pivot.ordered([SortKey(COMPARED), SortKey(PIVOTED)]).tolist() == [1, 2, 0]
    assert pivot.ordered([SortKey(ColumnKey("output_tokens", compared=True))]).tolist() == [1, 0, 2]


def test_hidden_figure_leaves_no_sort_key_of_its_pivot() -> None:
    view = ViewState(order=(SortKey(PIVOTED), SortKey("output_tokens"), SortKey(COMPARED, descending=True)))
    assert view.with_columns(["output_tokens"]).order == (SortKey("output_tokens"),)
    assert view.sorted_by(COMPARED, add=True).order[-1] == SortKey(COMPARED)
    assert view.with_dataset("costs").order == (SortKey("amount", descending=True),)
