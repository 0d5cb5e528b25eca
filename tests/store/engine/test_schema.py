"""Tests migrations, new columns, and that other programs' files are refused."""

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from usage_viewer.domain.catalog import DATASETS, Dimension, Kind, Metric
from usage_viewer.domain.errors import StoreDamaged, StoreNewer
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.engine.digests import check_table, check_tables, renew_every_digest
from usage_viewer.store.engine.schema import (
    MIGRATIONS,
    add_columns,
    create_tables,
    existing_tables,
    fact_table,
    is_current,
    migrate,
    new_columns,
)

DATA = DATASETS["embeddings"]


@pytest.fixture
def cursor() -> Iterator[Connection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


def version(cursor: Connection) -> list[tuple[int]]:
    return cursor.execute("SELECT version FROM meta").fetchall()


def contents(cursor: Connection) -> tuple[object, ...]:
    """Return all columns with their types, and the rows of the tables that are not empty in a new file."""
    columns = cursor.execute(
        "SELECT table_name, column_index, column_name, data_type, is_nullable, column_default FROM duckdb_columns()"
        " WHERE NOT internal ORDER BY ALL"
    )
    return (
        columns.fetchall(),
        cursor.execute("FROM meta").fetchall(),
        cursor.execute("FROM digest ORDER BY ALL").fetchall(),
    )


class TestMigrate:
    def test_each_step_runs_once(self, cursor: Connection) -> None:
        steps_run: list[int] = []
        steps = [lambda _, number=number: steps_run.append(number) for number in range(3)]
        migrate(cursor, steps[:1])
        migrate(cursor, steps)
        migrate(cursor, steps)
        assert steps_run == [0, 1, 2]
        assert version(cursor) == [(3,)]

    def test_empty_file_gets_the_newest_version(self, cursor: Connection) -> None:
        migrate(cursor)
        assert version(cursor) == [(len(MIGRATIONS),)]
        assert existing_tables(cursor) == {
            "meta",
            "held",
            "attributed",
            "refusal",
            "name",
            "name_list",
            "change",
            "comparison",
            "difference",
            "digest",
        }

    def test_new_file_is_what_all_steps_make(self, cursor: Connection) -> None:
        with duckdb.connect() as stepwise:
            migrate(stepwise)
            migrate(cursor, is_new=True)
            assert contents(cursor) == contents(stepwise)
            check_tables(cursor)

    def test_only_the_newest_version_is_current(self, cursor: Connection) -> None:
        assert not is_current(cursor)
        migrate(cursor, MIGRATIONS[:1])
        assert not is_current(cursor)
        migrate(cursor)
        assert is_current(cursor)

    def test_newer_file_is_refused(self, cursor: Connection) -> None:
        migrate(cursor)
        cursor.execute("UPDATE meta SET version = 99")
        with pytest.raises(StoreNewer, match="99"):
            migrate(cursor)

    def test_file_of_another_program_is_refused(self, cursor: Connection) -> None:
        cursor.execute("CREATE TABLE photos (name VARCHAR)")
        with pytest.raises(StoreDamaged):
            migrate(cursor)
        assert existing_tables(cursor) == {"photos"}

    def test_file_without_a_version_is_refused(self, cursor: Connection) -> None:
        migrate(cursor)
        cursor.execute("DELETE FROM meta")
        with pytest.raises(StoreDamaged):
            migrate(cursor)


class TestAddNewColumns:
    def test_columns_of_later_dimensions_and_metrics_are_added(self, cursor: Connection) -> None:
        migrate(cursor)
        create_tables(cursor, DATA, BucketWidth.DAY)
        table = fact_table(DATA, BucketWidth.DAY)
        cursor.execute(f'INSERT INTO "{table}" VALUES (0, 0, 1, 2, NULL)')
        cursor.execute("INSERT INTO held VALUES ('embeddings', '1d', 0, 100, '', false, 0, 0)")
        renew_every_digest(cursor)
        extended = replace(
            DATA,
            dimensions=(*DATA.dimensions, Dimension("region", "Region")),
            metrics=(
                *DATA.metrics,
                Metric("price", "Price", "money", Kind.DECIMAL),
                Metric("hits", "Hits", "hits"),
            ),
        )
        for _ in range(2):
            add_columns(cursor, new_columns(cursor, [(extended, BucketWidth.DAY)]))
        rows = cursor.execute(f'SELECT num_model_requests, input_tokens, hits, price FROM "{table}"').fetchall()
        assert rows == [(1, 2, None, None)]
        assert cursor.execute("SELECT region FROM combination_embeddings").fetchall() == []
        kinds = cursor.execute(f'SELECT typeof(price), typeof(hits) FROM "{table}"').fetchall()
        assert kinds == [("DECIMAL(38,24)", "BIGINT")]
        check_tables(cursor)
        check_table(cursor, table)


def test_creating_tables_again_keeps_their_rows(cursor: Connection) -> None:
    create_tables(cursor, DATA, BucketWidth.HOUR)
    cursor.execute('INSERT INTO "usage_embeddings_1h" VALUES (0, 0, 1, 2, NULL)')
    create_tables(cursor, DATA, BucketWidth.HOUR)
    assert cursor.execute('SELECT count(*) FROM "usage_embeddings_1h"').fetchall() == [(1,)]
    assert existing_tables(cursor) == {"combination_embeddings", "usage_embeddings_1h"}
