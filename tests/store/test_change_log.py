"""Tests that exactly the figures that a later fetch changed are recorded, for 30 days."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.period import BucketWidth, Span
from usage_viewer.domain.verification import Bucket, Change, Changes
from usage_viewer.store import Store
from usage_viewer.store.change_log import prune
from usage_viewer.store.engine.schema import MIGRATIONS, create_tables, existing_tables, migrate

if TYPE_CHECKING:
    from tests.rigs.usage import MakeUsage, Usage

T0 = 1_793_491_200  # 2026-11-01 00:00 UTC
HOUR, DAY = 3600, 86400
SETTLED = T0 + 30 * DAY


def changes_of(store: Store, span: Span | None = None, now: int = SETTLED, dataset: str = "completions") -> Changes:
    return store.verification.changes(dataset, span, now)


def as_set(changes: Changes) -> set[tuple[int, tuple[str | None, ...], str, Any, Any]]:
    assert changes.count == len(changes.listed)
    return {(one.bucket.start, one.combination, one.metric, one.before, one.after) for one in changes.listed}


def with_row(usage: "Usage", at: int, **figures: int | Decimal | None) -> "Usage":
    row = usage.rows[at]
    changed = replace(row, figures={**row.figures, **figures})
    return replace(usage, rows=[*usage.rows[:at], changed, *usage.rows[at + 1 :]])


def present(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if value is not None}


@pytest.fixture
def usage(make_usage: "MakeUsage") -> "Usage":
    return make_usage(T0, 6, rows_each=4, idle=3)


class TestRecord:
    def test_first_fetch_is_no_change(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        assert changes_of(store) == Changes()

    def test_equal_fetch_is_no_change(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        store.put(usage.batch(), T0 + DAY + 60)
        assert changes_of(store) == Changes()

    def test_changed_figures_are_recorded(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        row = usage.rows[5]
        store.put(with_row(usage, 5, input_tokens=7, output_tokens=8).batch(), T0 + DAY + 60)
        assert as_set(changes_of(store)) == {
            (row.bucket, row.combination, "input_tokens", row.figures["input_tokens"], 7),
            (row.bucket, row.combination, "output_tokens", row.figures["output_tokens"], 8),
        }
        assert {one.seen_at for one in changes_of(store).listed} == {T0 + DAY + 60}

    def test_figure_that_becomes_present_or_missing_is_recorded(self, store: Store, usage: "Usage") -> None:
        first = with_row(usage, 0, input_text_tokens=None, input_image_tokens=0)
        store.put(first.batch(), T0 + DAY)
        store.put(with_row(first, 0, input_text_tokens=0, input_image_tokens=None).batch(), T0 + DAY + 60)
        row = usage.rows[0]
        assert as_set(changes_of(store)) == {
            (row.bucket, row.combination, "input_text_tokens", None, 0),
            (row.bucket, row.combination, "input_image_tokens", 0, None),
        }

    def test_removed_and_added_rows_are_recorded(self, store: Store, usage: "Usage") -> None:
        row = usage.rows[-1]
        fewer = replace(usage, rows=usage.rows[:-1])
        store.put(usage.batch(), T0 + DAY)
        store.put(fewer.batch(), T0 + DAY + 60)
        removed = {(row.bucket, row.combination, name, value, None) for name, value in present(row.figures).items()}
        assert as_set(changes_of(store)) == removed
        store.put(usage.batch(), T0 + DAY + 120)
        added = {(*rest, after, before) for *rest, before, after in removed}
        assert as_set(changes_of(store)) == removed | added

    def test_row_in_a_bucket_without_rows_is_recorded(self, store: Store, usage: "Usage") -> None:
        idle = next(start for start in usage.starts if start not in {row.bucket for row in usage.rows})
        store.put(usage.batch(), T0 + DAY)
        row = replace(usage.rows[0], bucket=idle)
        store.put(replace(usage, rows=[*usage.rows, row]).batch(), T0 + DAY + 60)
        assert as_set(changes_of(store)) == {
            (idle, row.combination, name, None, value) for name, value in present(row.figures).items()
        }

    def test_buckets_stored_for_the_first_time_are_not_recorded(self, store: Store, usage: "Usage") -> None:
        first = replace(usage, starts=usage.starts[:3], rows=[r for r in usage.rows if r.bucket < usage.starts[3]])
        store.put(first.batch(), T0 + DAY)
        store.put(usage.batch(), T0 + DAY + 60)
        assert changes_of(store) == Changes()

    def test_fetches_with_other_dimensions_are_not_compared(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        store.put(replace(with_row(usage, 0, input_tokens=1).batch(), grouped=("model",)), T0 + DAY + 60)
        assert changes_of(store) == Changes()

    def test_change_records_whether_the_bucket_was_final(self, store: Store, usage: "Usage") -> None:
        limit = T0 + HOUR + 72 * HOUR
        for fetched, settled in ((limit - 1, False), (limit, True)):
            store.put(usage.batch(), fetched)
            store.put(with_row(usage, 0, input_tokens=fetched).batch(), fetched + 1)
            assert changes_of(store).listed[0].settled is settled

    def test_changes_of_money_are_exact(self, store: Store, make_usage: "MakeUsage") -> None:
        costs = make_usage(T0, 2, width=BucketWidth.DAY, dataset="costs", rows_each=2)
        costs = with_row(costs, 0, amount=Decimal("0.06"))
        store.put(costs.batch(), T0 + DAY)
        store.put(with_row(costs, 0, amount=Decimal("0.0600000000000000000001")).batch(), T0 + DAY + 60)
        (change,) = changes_of(store, dataset="costs").listed
        assert (change.before, change.after) == (Decimal("0.06"), Decimal("0.0600000000000000000001"))
        assert str(change.before) == "0.06"

    def test_failed_write_records_no_change(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        costs = with_row(usage, 0, input_tokens=1).batch()
        broken = replace(costs, combination=costs.combination[:-1])
        with pytest.raises(ValueError, match=r"."):
            store.put(broken, T0 + DAY + 60)
        assert changes_of(store) == Changes()


class TestRead:
    def test_changes_of_a_span_are_listed_newest_first(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        store.put(with_row(usage, 0, input_tokens=1).batch(), T0 + DAY + 60)
        last = len(usage.rows) - 1
        again = with_row(with_row(usage, 0, input_tokens=1), last, input_tokens=2)
        store.put(again.batch(), T0 + DAY + 120)
        both = changes_of(store)
        assert [one.after for one in both.listed] == [2, 1]
        assert [one.after for one in changes_of(store, Span(T0, T0 + 60)).listed] == [1]
        assert [one.after for one in changes_of(store, Span(T0 + HOUR, T0 + DAY)).listed] == [2]
        assert changes_of(store, dataset="decisions") == Changes()

    def test_changes_remain_after_reopening(self, path: Path, usage: "Usage") -> None:
        first = Store.open(path)
        first.put(usage.batch(), T0 + DAY)
        first.put(with_row(usage, 0, input_tokens=1).batch(), T0 + DAY + 60)
        before = changes_of(first)
        first.close()
        again = Store.open(path)
        assert changes_of(again) == before
        assert before.count == 1
        again.erase()
        assert changes_of(again) == Changes()
        again.close()


class TestPrune:
    def test_changes_are_listed_for_30_days(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), SETTLED)
        store.put(with_row(usage, 0, input_tokens=1).batch(), SETTLED + 60)
        end = SETTLED + 60 + 30 * DAY
        assert changes_of(store, now=end).count == 1
        assert changes_of(store, now=end + 1).count == 0

    def test_older_changes_are_deleted_by_the_next_write(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), SETTLED)
        store.put(with_row(usage, 0, input_tokens=1).batch(), SETTLED + 60)
        store.put(with_row(usage, 0, input_tokens=2).batch(), SETTLED + 61 + 30 * DAY)
        assert [one.after for one in changes_of(store, now=SETTLED).listed] == [2]

    def test_growth_of_a_past_day_is_merged(self, store: Store, usage: "Usage") -> None:
        fetched = T0 + DAY
        steps = [None, 10, 20, 30]
        for number, figure in enumerate(steps):
            store.put(with_row(usage, 0, input_text_tokens=figure).batch(), fetched + 300 * number)
        assert [(one.before, one.after) for one in changes_of(store).listed] == [(20, 30), (10, 20), (None, 10)]
        store.put(with_row(usage, 0, input_text_tokens=40).batch(), fetched + DAY)
        assert changes_of(store).count == 4  # the changes of yesterday are not merged yet
        store.put(with_row(usage, 0, input_text_tokens=50).batch(), fetched + 2 * DAY)
        row = usage.rows[0]
        merged = Change(
            Bucket(row.bucket, BucketWidth.HOUR),
            row.combination,
            "input_text_tokens",
            None,
            30,
            False,
            fetched + 900,
        )
        assert changes_of(store).listed[-1] == merged
        assert [(one.before, one.after) for one in changes_of(store).listed] == [(40, 50), (30, 40), (None, 30)]

    def test_changes_of_final_buckets_are_not_merged(self, store: Store, usage: "Usage") -> None:
        for number, figure in enumerate([1, 2, 3]):
            store.put(with_row(usage, 0, input_text_tokens=figure).batch(), SETTLED + number)
        store.put(usage.batch(), SETTLED + 5 * DAY)
        assert {(one.before, one.after) for one in changes_of(store).listed} >= {(1, 2), (2, 3)}


class TestMigration:
    @pytest.fixture
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = duckdb.connect()
        yield connection
        connection.close()

    def test_file_of_version_1_keeps_its_usage(self, path: Path, usage: "Usage") -> None:
        _write_version_1(path, usage)
        store = Store.open(path)
        assert store.rows("completions") == len(usage.rows)
        assert store.stored_buckets("completions")[BucketWidth.HOUR].starts.tolist() == usage.starts
        store.put(with_row(usage, 0, input_tokens=1).batch(), SETTLED)
        assert [one.after for one in changes_of(store).listed] == [1]
        store.close()

    def test_migration_adds_only_its_table(self, connection: duckdb.DuckDBPyConnection) -> None:
        migrate(connection, MIGRATIONS[:1])
        before = existing_tables(connection)
        migrate(connection, MIGRATIONS[:2])
        assert existing_tables(connection) - before == {"change"}

    def test_pruning_an_empty_table_does_nothing(self, connection: duckdb.DuckDBPyConnection) -> None:
        migrate(connection)
        prune(connection, SETTLED)
        assert connection.execute("SELECT count(*) FROM change").fetchall() == [(0,)]


def _write_version_1(path: Path, usage: "Usage") -> None:
    """Write a file as the first version of the program did."""
    path.parent.mkdir(parents=True)
    data = DATASETS["completions"]
    ids = {
        combination: number for number, combination in enumerate(dict.fromkeys(r.combination for r in usage.rows))
    }
    with duckdb.connect(str(path)) as connection:
        migrate(connection, MIGRATIONS[:1])
        create_tables(connection, data, BucketWidth.HOUR)
        insert: Callable[..., object] = connection.execute
        for start in usage.starts:
            grouped = ",".join(data.group_by)
            insert("INSERT INTO held VALUES ('completions', '1h', ?, ?, ?, false)", [start, T0 + DAY, grouped])
        for combination, number in ids.items():
            insert(f"INSERT INTO combination_completions VALUES ({', '.join('?' * 8)})", [number, *combination])
        for row in usage.rows:
            figures = [row.figures[metric.name] for metric in data.metrics]
            marks = ", ".join("?" * (len(figures) + 3))
            values = [row.bucket, ids[row.combination], *figures, None]
            insert(f"INSERT INTO usage_completions_1h VALUES ({marks})", values)
