"""What changed: exactly the cells that a later fetch told otherwise, for 30 days."""

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


def listed(store: Store, span: Span | None = None, now: int = SETTLED, dataset: str = "completions") -> Changes:
    return store.verification.changes(dataset, span, now)


def told(changes: Changes) -> set[tuple[int, tuple[str | None, ...], str, Any, Any]]:
    assert changes.count == len(changes.listed)
    return {(one.bucket.start, one.combination, one.metric, one.before, one.after) for one in changes.listed}


def with_row(usage: "Usage", at: int, **figures: int | Decimal | None) -> "Usage":
    row = usage.rows[at]
    changed = replace(row, figures={**row.figures, **figures})
    return replace(usage, rows=[*usage.rows[:at], changed, *usage.rows[at + 1 :]])


def given(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if value is not None}


@pytest.fixture
def usage(make_usage: "MakeUsage") -> "Usage":
    return make_usage(T0, 6, rows_each=4, idle=3)


class TestRecorded:
    def test_a_first_fetch_changes_nothing(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        assert listed(store) == Changes()

    def test_nor_does_one_that_tells_the_same(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        store.put(usage.batch(), T0 + DAY + 60)
        assert listed(store) == Changes()

    def test_a_figure_that_is_another_one(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        row = usage.rows[5]
        store.put(with_row(usage, 5, input_tokens=7, output_tokens=8).batch(), T0 + DAY + 60)
        assert told(listed(store)) == {
            (row.bucket, row.combination, "input_tokens", row.figures["input_tokens"], 7),
            (row.bucket, row.combination, "output_tokens", row.figures["output_tokens"], 8),
        }
        assert {one.seen_at for one in listed(store).listed} == {T0 + DAY + 60}

    def test_a_figure_that_is_given_or_not_given_any_more(self, store: Store, usage: "Usage") -> None:
        first = with_row(usage, 0, input_text_tokens=None, input_image_tokens=0)
        store.put(first.batch(), T0 + DAY)
        store.put(with_row(first, 0, input_text_tokens=0, input_image_tokens=None).batch(), T0 + DAY + 60)
        row = usage.rows[0]
        assert told(listed(store)) == {
            (row.bucket, row.combination, "input_text_tokens", None, 0),
            (row.bucket, row.combination, "input_image_tokens", 0, None),
        }

    def test_a_row_that_vanished_or_came(self, store: Store, usage: "Usage") -> None:
        row = usage.rows[-1]
        fewer = replace(usage, rows=usage.rows[:-1])
        store.put(usage.batch(), T0 + DAY)
        store.put(fewer.batch(), T0 + DAY + 60)
        gone = {(row.bucket, row.combination, name, value, None) for name, value in given(row.figures).items()}
        assert told(listed(store)) == gone
        store.put(usage.batch(), T0 + DAY + 120)
        back = {(*rest, after, before) for *rest, before, after in gone}
        assert told(listed(store)) == gone | back

    def test_a_row_in_a_bucket_that_was_idle(self, store: Store, usage: "Usage") -> None:
        idle = next(start for start in usage.starts if start not in {row.bucket for row in usage.rows})
        store.put(usage.batch(), T0 + DAY)
        row = replace(usage.rows[0], bucket=idle)
        store.put(replace(usage, rows=[*usage.rows, row]).batch(), T0 + DAY + 60)
        assert told(listed(store)) == {
            (idle, row.combination, name, None, value) for name, value in given(row.figures).items()
        }

    def test_only_buckets_that_were_held(self, store: Store, usage: "Usage") -> None:
        first = replace(usage, starts=usage.starts[:3], rows=[r for r in usage.rows if r.bucket < usage.starts[3]])
        store.put(first.batch(), T0 + DAY)
        store.put(usage.batch(), T0 + DAY + 60)
        assert listed(store) == Changes()

    def test_not_what_was_asked_for_with_other_dimensions(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        store.put(replace(with_row(usage, 0, input_tokens=1).batch(), grouped=("model",)), T0 + DAY + 60)
        assert listed(store) == Changes()

    def test_settled_or_still_open(self, store: Store, usage: "Usage") -> None:
        limit = T0 + HOUR + 72 * HOUR
        for fetched, settled in ((limit - 1, False), (limit, True)):
            store.put(usage.batch(), fetched)
            store.put(with_row(usage, 0, input_tokens=fetched).batch(), fetched + 1)
            assert listed(store).listed[0].settled is settled

    def test_money_is_exact(self, store: Store, make_usage: "MakeUsage") -> None:
        costs = make_usage(T0, 2, width=BucketWidth.DAY, dataset="costs", rows_each=2)
        costs = with_row(costs, 0, amount=Decimal("0.06"))
        store.put(costs.batch(), T0 + DAY)
        store.put(with_row(costs, 0, amount=Decimal("0.0600000000000000000001")).batch(), T0 + DAY + 60)
        (change,) = listed(store, dataset="costs").listed
        assert (change.before, change.after) == (Decimal("0.06"), Decimal("0.0600000000000000000001"))
        assert str(change.before) == "0.06"

    def test_all_or_nothing(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        costs = with_row(usage, 0, input_tokens=1).batch()
        broken = replace(costs, combination=costs.combination[:-1])
        with pytest.raises(ValueError, match=r"."):
            store.put(broken, T0 + DAY + 60)
        assert listed(store) == Changes()


class TestRead:
    def test_the_newest_first_and_only_of_the_span(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), T0 + DAY)
        store.put(with_row(usage, 0, input_tokens=1).batch(), T0 + DAY + 60)
        last = len(usage.rows) - 1
        again = with_row(with_row(usage, 0, input_tokens=1), last, input_tokens=2)
        store.put(again.batch(), T0 + DAY + 120)
        both = listed(store)
        assert [one.after for one in both.listed] == [2, 1]
        assert [one.after for one in listed(store, Span(T0, T0 + 60)).listed] == [1]
        assert [one.after for one in listed(store, Span(T0 + HOUR, T0 + DAY)).listed] == [2]
        assert listed(store, dataset="decisions") == Changes()

    def test_survives_the_end_of_the_program(self, path: Path, usage: "Usage") -> None:
        first = Store.open(path)
        first.put(usage.batch(), T0 + DAY)
        first.put(with_row(usage, 0, input_tokens=1).batch(), T0 + DAY + 60)
        before = listed(first)
        first.close()
        again = Store.open(path)
        assert listed(again) == before
        assert before.count == 1
        again.erase()
        assert listed(again) == Changes()
        again.close()


class TestKept:
    def test_for_30_days(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), SETTLED)
        store.put(with_row(usage, 0, input_tokens=1).batch(), SETTLED + 60)
        end = SETTLED + 60 + 30 * DAY
        assert listed(store, now=end).count == 1
        assert listed(store, now=end + 1).count == 0

    def test_what_is_older_is_dropped_when_more_comes(self, store: Store, usage: "Usage") -> None:
        store.put(usage.batch(), SETTLED)
        store.put(with_row(usage, 0, input_tokens=1).batch(), SETTLED + 60)
        store.put(with_row(usage, 0, input_tokens=2).batch(), SETTLED + 61 + 30 * DAY)
        assert [one.after for one in listed(store, now=SETTLED).listed] == [2]

    def test_of_a_day_that_is_over_the_whole_growth_is_kept(self, store: Store, usage: "Usage") -> None:
        fetched = T0 + DAY
        steps = [None, 10, 20, 30]
        for number, figure in enumerate(steps):
            store.put(with_row(usage, 0, input_text_tokens=figure).batch(), fetched + 300 * number)
        assert [(one.before, one.after) for one in listed(store).listed] == [(20, 30), (10, 20), (None, 10)]
        store.put(with_row(usage, 0, input_text_tokens=40).batch(), fetched + DAY)
        assert listed(store).count == 4  # yesterday's are still told one by one
        store.put(with_row(usage, 0, input_text_tokens=50).batch(), fetched + 2 * DAY)
        row = usage.rows[0]
        whole = Change(
            Bucket(row.bucket, BucketWidth.HOUR),
            row.combination,
            "input_text_tokens",
            None,
            30,
            False,
            fetched + 900,
        )
        assert listed(store).listed[-1] == whole
        assert [(one.before, one.after) for one in listed(store).listed] == [(40, 50), (30, 40), (None, 30)]

    def test_restated_figures_of_settled_buckets_are_kept_one_by_one(self, store: Store, usage: "Usage") -> None:
        for number, figure in enumerate([1, 2, 3]):
            store.put(with_row(usage, 0, input_text_tokens=figure).batch(), SETTLED + number)
        store.put(usage.batch(), SETTLED + 5 * DAY)
        assert {(one.before, one.after) for one in listed(store).listed} >= {(1, 2), (2, 3)}


class TestMigration:
    @pytest.fixture
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = duckdb.connect()
        yield connection
        connection.close()

    def test_a_file_of_version_1_keeps_its_usage(self, path: Path, usage: "Usage") -> None:
        _write_version_1(path, usage)
        store = Store.open(path)
        assert store.rows("completions") == len(usage.rows)
        assert store.stored_buckets("completions")[BucketWidth.HOUR].starts.tolist() == usage.starts
        store.put(with_row(usage, 0, input_tokens=1).batch(), SETTLED)
        assert [one.after for one in listed(store).listed] == [1]
        store.close()

    def test_the_step_adds_its_table_alone(self, connection: duckdb.DuckDBPyConnection) -> None:
        migrate(connection, MIGRATIONS[:1])
        before = existing_tables(connection)
        migrate(connection, MIGRATIONS[:2])
        assert existing_tables(connection) - before == {"change"}

    def test_pruning_an_empty_table_is_nothing(self, connection: duckdb.DuckDBPyConnection) -> None:
        migrate(connection)
        prune(connection, SETTLED)
        assert connection.execute("SELECT count(*) FROM change").fetchall() == [(0,)]


def _write_version_1(path: Path, usage: "Usage") -> None:
    """As the first version of the program wrote it."""
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
