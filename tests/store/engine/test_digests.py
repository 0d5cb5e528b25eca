"""Tests that digests follow every write, and that any change that the program didn't make is found."""

import zlib
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from tests.rigs.usage import DAY, T0, answer_view
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.errors import Cancelled, StoreDamaged
from usage_viewer.domain.grants import Refusal
from usage_viewer.domain.names import Name
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store
from usage_viewer.store.comparison_index import Comparison
from usage_viewer.store.engine.digests import check_table, engine_mark, renew_every_digest
from usage_viewer.store.engine.schema import DECIMALS, create_tables, fact_table, is_current, migrate
from usage_viewer.store.spend.spend_store import SpendStore

Make = Callable[..., Any]
FETCHED: Final = T0 + 100 * DAY
HOURS: Final = (datetime(2026, 11, 1), datetime(2026, 11, 2))


def fill(store: Store, make_usage: Make) -> None:
    """Write to every table, and replace and delete rows of each."""
    store.put(make_usage(T0, 24).batch(), FETCHED)
    store.put(make_usage(T0, 24, seed=2).batch(), FETCHED + 1)  # replaced, with changes
    store.put(make_usage(T0, 3, width=BucketWidth.DAY, dataset="costs").batch(), FETCHED)
    for last_seen in (1, 2):
        store.remember([Name("project", f"proj_{number}", f"Name {last_seen}", last_seen) for number in range(3)])
    store.mark_deleted("project", 3)
    for learnt_at in (5, 6):
        store.learn("costs", [Refusal(frozenset({"user_id"}), "user_id", None, None, learnt_at)])
    store.learn("completions", [Refusal(frozenset({"batch"}), "batch", None, None, 7)])
    store.forget_refusals("completions")
    for read_at in (8, 9):
        store.note_name_lists_read(["projects"], read_at)
    stored = store.stored_buckets("costs")[BucketWidth.DAY]
    for seed in (2, 1):  # attributed, and attributed again after a change
        store.put(make_usage(T0, 3, width=BucketWidth.DAY, dataset="costs", seed=seed).batch(), FETCHED)
        assert not SpendStore(store).update(stored.starts, stored.starts, [])
    store.record_comparison(Comparison("costs", BucketWidth.DAY, stored.starts, stored.fetched, 10, {}))
    store.distrust_fetches_after(FETCHED)


@pytest.fixture
def filled(path: Path, make_usage: Make) -> Path:
    store = Store.open(path)
    fill(store, make_usage)
    store.check()
    store.close()
    return path


def change(path: Path, *statements: str) -> None:
    """Change the file as another program would."""
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_digests_follow_every_write(filled: Path) -> None:
    store = Store.open(filled)
    store.check()
    store.check("costs")
    store.close()
    with duckdb.connect(str(filled)) as connection:
        tables = connection.execute('SELECT name, "rows" FROM digest').fetchall()
    empty = {name for name, rows in tables if not rows and not name.startswith("usage_")}
    assert empty == {"difference"}, "the test writes to every other table"


FIRST: Final = "rowid = (SELECT min(rowid) FROM usage_completions_1h)"
FIRST_COST: Final = "rowid = (SELECT min(rowid) FROM usage_costs_1d)"
CHANGES: Final = {
    "a figure": f"UPDATE usage_completions_1h SET input_tokens = input_tokens + 1 WHERE {FIRST}",
    "a negative figure": f"UPDATE usage_completions_1h SET input_tokens = -input_tokens WHERE {FIRST}",
    "a missing figure": f"UPDATE usage_completions_1h SET input_tokens = NULL WHERE {FIRST}",
    "an amount": f"UPDATE usage_costs_1d SET amount = amount * 2 WHERE {FIRST_COST}",
    "two rows with each other's combination": "UPDATE usage_completions_1h SET combination = 1 - combination"
    " WHERE combination < 2",
    "a deleted row": f"DELETE FROM usage_completions_1h WHERE {FIRST}",
    "a row more": f"INSERT INTO usage_completions_1h SELECT * FROM usage_completions_1h WHERE {FIRST}",
    "a deleted bucket": "DELETE FROM usage_completions_1h WHERE bucket = (SELECT min(start) FROM held)",
    "a row of a bucket that is not stored": "UPDATE usage_completions_1h SET bucket = bucket + 864000",
    "a value of a combination": "UPDATE combination_completions SET model = 'another' WHERE id = 0",
    "the time of a fetch": "UPDATE held SET fetched_at = fetched_at + 1 WHERE start % 7200 = 0",
    "a bucket that is not stored any more": "DELETE FROM held WHERE start = (SELECT min(start) FROM held)",
    "the name of an id": "UPDATE name SET name = 'another' WHERE id = 'proj_1'",
    "a result of verification": "UPDATE comparison SET grew = true",
    "a change": "UPDATE change SET after = '1'",
    "a refusal": "DELETE FROM refusal",
    "a list of names": "UPDATE name_list SET read_at = 99",
    "a dropped column": "ALTER TABLE usage_completions_1h DROP COLUMN input_cached_tokens",
    "a dropped column of a combination": "ALTER TABLE combination_completions DROP COLUMN model",
    "a dropped table": "DROP TABLE change",
    "an empty table of digests": "DELETE FROM digest",
    "one digest less": "DELETE FROM digest WHERE name = 'name'",
    "a digest": "UPDATE digest SET digest = digest + 1 WHERE name = 'held'",
    "the mark of the engine": "UPDATE meta SET engine = '1.0.0 5 5'",
    "a column of another type": "ALTER TABLE held ALTER start TYPE VARCHAR",
    "text in place of figures": "ALTER TABLE usage_completions_1h ALTER input_tokens TYPE VARCHAR USING 'x'",
}


@pytest.mark.parametrize("what", CHANGES)
def test_any_change_by_another_program_is_damage(what: str, filled: Path) -> None:
    change(filled, CHANGES[what])
    with pytest.raises(StoreDamaged):
        _open_and_check(filled)


def test_exchanged_halves_of_a_decimal_are_found() -> None:
    """The hash that DuckDB has of a decimal is equal if its two words are exchanged."""
    data = DATASETS["costs"]
    table = fact_table(data, BucketWidth.DAY)
    with duckdb.connect() as connection:
        migrate(connection)
        create_tables(connection, data, BucketWidth.DAY)
        connection.execute(f'INSERT INTO "{table}" (bucket, combination, amount) VALUES (0, 0, {_amount(3, 1)})')
        connection.execute("INSERT INTO held VALUES ('costs', '1d', 0, 1, '', false, 0, 0)")
        renew_every_digest(connection)
        check_table(connection, table)
        connection.execute(f'UPDATE "{table}" SET amount = {_amount(1, 3)}')
        with pytest.raises(StoreDamaged):
            check_table(connection, table)


def _amount(upper: int, lower: int) -> str:
    """Return the amount that is stored as these two words."""
    number = Decimal(upper * 2**64 + lower).scaleb(-DECIMALS)
    return f"'{number:f}'::DECIMAL(38, {DECIMALS})"


def test_digests_of_another_version_of_duckdb_are_made_anew(filled: Path) -> None:
    """Its hashes may differ."""
    mark = "0.0.1 12345"
    mark = f"{mark} {zlib.crc32(mark.encode())}"
    change(
        filled, f"UPDATE meta SET engine = '{mark}'", "UPDATE held SET digest = 1", "UPDATE digest SET digest = 1"
    )
    _open_and_check(filled)
    with duckdb.connect(str(filled)) as connection:
        assert is_current(connection)
        assert connection.execute("SELECT engine FROM meta").fetchall() == [(engine_mark(connection),)]


def test_damaged_store_answers_nothing_more(filled: Path) -> None:
    change(filled, CHANGES["a figure"])
    store = Store.open(filled)
    view = ViewState(range=DateRange(Preset.LAST_30_DAYS), per=Granularity.DAY)
    with pytest.raises(StoreDamaged):
        store.check()
    with pytest.raises(StoreDamaged):
        answer_view(store, view)
    with pytest.raises(StoreDamaged):
        store.remember([Name("project", "proj_9", "Nine")])
    store.erase()
    store.check()
    store.remember([Name("project", "proj_9", "Nine")])
    store.close()


def test_other_datasets_are_not_checked_with_one(filled: Path) -> None:
    change(filled, CHANGES["a figure"])
    store = Store.open(filled)
    store.check("costs")
    with pytest.raises(StoreDamaged):
        store.check("completions")
    store.close()


def test_check_can_be_cancelled(filled: Path) -> None:
    store = Store.open(filled)
    cancel = Cancellation()
    cancel.cancel()
    with pytest.raises(Cancelled):
        store.check(cancel=cancel)
    store.check()
    store.close()


def test_facts_that_a_condition_skips_are_missed(filled: Path) -> None:
    """Where a table's statistics are damaged, the engine skips rows that a condition should find."""
    change(filled, f"DELETE FROM usage_completions_1h WHERE {FIRST}")
    store = Store.open(filled)
    with pytest.raises(StoreDamaged, match="rows of usage_completions_1h were read"):
        answer_view(store, ViewState(range=DateRange(None, *HOURS), per=Granularity.DAY, grouping=("model",)))
    store.close()


def _open_and_check(path: Path) -> None:
    store = Store.open(path)
    try:
        store.check()
    finally:
        store.close()
