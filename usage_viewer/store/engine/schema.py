"""Creates the tables, migrates files of older versions, and names the tables of each dataset."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import duckdb

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import Dataset, Kind
from usage_viewer.domain.errors import StoreDamaged, StoreNewer
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store.engine.database import Connection, Database, quoted
from usage_viewer.store.engine.digests import (
    check_mark,
    check_table,
    engine_mark,
    renew_digests,
    renew_every_digest,
    start_digest,
)
from usage_viewer.store.engine.newest_tables import create_newest

DECIMALS = 24
"""Decimals are stored with this many digits after the point and 14 before it."""

DECIMAL = f"DECIMAL(38, {DECIMALS})"


def _version_1(cursor: Connection) -> None:
    cursor.execute("""
        CREATE TABLE held (
            dataset VARCHAR NOT NULL,
            width VARCHAR NOT NULL,
            start BIGINT NOT NULL,        -- epoch seconds
            fetched_at BIGINT NOT NULL,   -- epoch seconds
            grouped VARCHAR NOT NULL,     -- the dimensions of the request, separated by commas
            repeats BOOLEAN NOT NULL      -- whether any combination occurs more than once
        );
        CREATE TABLE refused (dataset VARCHAR NOT NULL, dimension VARCHAR NOT NULL);
        CREATE TABLE name (
            kind VARCHAR NOT NULL, id VARCHAR NOT NULL, name VARCHAR NOT NULL, seen BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL
        );
    """)


def _version_2(cursor: Connection) -> None:
    cursor.execute("""
        CREATE TABLE change (
            dataset VARCHAR NOT NULL,
            width VARCHAR NOT NULL,
            bucket BIGINT NOT NULL,
            combination INTEGER NOT NULL,
            metric VARCHAR NOT NULL,
            before VARCHAR,               -- digits; null: no such row or figure
            after VARCHAR,
            settled BOOLEAN NOT NULL,     -- whether the bucket counted as final
            seen_at BIGINT NOT NULL       -- epoch seconds
        )
    """)


def _version_3(cursor: Connection) -> None:
    cursor.execute("""
        CREATE TABLE comparison (         -- with the server's totals; a replaced bucket has none
            dataset VARCHAR NOT NULL,
            width VARCHAR NOT NULL,
            start BIGINT NOT NULL,        -- epoch seconds
            fetched_at BIGINT NOT NULL,   -- the bucket's fetch that was compared, epoch seconds
            compared_at BIGINT NOT NULL,  -- epoch seconds
            grew BOOLEAN NOT NULL         -- during the comparison, which explains its difference
        );
        CREATE TABLE difference (
            dataset VARCHAR NOT NULL,
            width VARCHAR NOT NULL,
            start BIGINT NOT NULL,
            metric VARCHAR NOT NULL,
            unit VARCHAR,                 -- of money and quantities
            local_value VARCHAR NOT NULL, -- digits
            server_value VARCHAR NOT NULL
        );
    """)


def _version_4(cursor: Connection) -> None:
    cursor.execute("ALTER TABLE name ADD COLUMN last_used BIGINT")  # epoch seconds; 0: never; null: not known


def _version_5(cursor: Connection) -> None:
    cursor.execute("""
        CREATE TABLE refusal (
            dataset VARCHAR NOT NULL,
            dimensions VARCHAR NOT NULL,  -- a request with all of these is refused; separated by commas
            blamed VARCHAR NOT NULL,      -- the one of them that requests leave out
            since BIGINT,                 -- start of the refused range, epoch seconds; null: unbounded
            until BIGINT,                 -- its end
            learnt_at BIGINT NOT NULL,    -- epoch seconds
            granted_from BIGINT           -- a later bucket that is known to be granted
        );
    """)
    cursor.execute(
        "INSERT INTO refusal SELECT dataset, dimension, dimension, NULL, NULL, ?, NULL FROM refused",
        [int(time.time())],
    )
    cursor.execute("DROP TABLE refused")
    cursor.execute("CREATE TABLE name_list (list VARCHAR NOT NULL, read_at BIGINT NOT NULL)")  # epoch seconds


def _version_6(cursor: Connection) -> None:
    cursor.execute("""
        ALTER TABLE held ADD COLUMN "rows" BIGINT DEFAULT 0;
        ALTER TABLE held ADD COLUMN digest BIGINT DEFAULT 0;  -- of the bucket's facts, see digests.py
        CREATE TABLE digest (             -- of each other table
            name VARCHAR NOT NULL,        -- of the table
            columns VARCHAR NOT NULL,     -- that its digest is made of, separated by commas
            "rows" BIGINT NOT NULL,       -- 0 for tables of facts, as is the digest
            digest BIGINT NOT NULL
        );
        ALTER TABLE meta ADD COLUMN engine VARCHAR;
    """)
    cursor.execute("UPDATE meta SET engine = ?", [engine_mark(cursor)])
    renew_every_digest(cursor)


def _version_7(cursor: Connection) -> None:
    cursor.execute("""
        CREATE TABLE attributed (         -- the days of the computed dataset spend
            start BIGINT NOT NULL,        -- epoch seconds
            signature VARCHAR NOT NULL    -- of everything that the day was computed from
        )
    """)
    start_digest(cursor, "attributed")


MIGRATIONS: Sequence[Callable[[Connection], None]] = (
    _version_1,
    _version_2,
    _version_3,
    _version_4,
    _version_5,
    _version_6,
    _version_7,
)
"""Step i migrates from version i to i + 1; version 0 is an empty file.

A new step needs its tables in `newest_tables.py` too.
"""


def is_current(cursor: Connection) -> bool:
    """Report whether the file has the newest version, and digests made by this version of DuckDB.

    Call outside a transaction: DuckDB's error would end it.
    """
    try:
        rows = cursor.execute("SELECT version, engine FROM meta").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    return rows == [(len(MIGRATIONS), engine_mark(cursor))]


def migrate(
    cursor: Connection, steps: Sequence[Callable[[Connection], None]] = MIGRATIONS, *, is_new: bool = False
) -> None:
    """Migrate the file to the newest version; `is_new`: it has no tables, and gets the newest ones at once.

    Raises StoreNewer, and StoreDamaged for another program's file.
    """
    if is_new and steps is MIGRATIONS:
        create_newest(cursor, len(steps), engine_mark(cursor))
        return
    tables = {} if is_new else _tables(cursor)
    if "meta" not in tables:
        if tables:
            raise StoreDamaged("It was not written by Usage Viewer.")
        cursor.execute("CREATE TABLE meta (version INTEGER NOT NULL)")
        cursor.execute("INSERT INTO meta VALUES (0)")
    row = cursor.execute("SELECT max(version) FROM meta").fetchone()
    version = row[0] if row else None
    if not isinstance(version, int):
        raise StoreDamaged("Its version is missing.")
    if version > len(steps):
        raise StoreNewer(f"Version {version}; this program knows versions up to {len(steps)}.")
    for step in steps[version:]:
        step(cursor)
    if version < len(steps):
        cursor.execute("UPDATE meta SET version = ?", [len(steps)])
    if len(steps) >= _WITH_DIGESTS:
        _adopt_engine(cursor)


def migrate_file(database: Database) -> None:
    """Migrate an open file to the newest version in one transaction. Raises StoreNewer, StoreDamaged."""
    is_new = database.is_new
    with database.cursor() as cursor:
        current = not is_new and is_current(cursor)
    if not current:
        with database.transaction() as cursor:
            migrate(cursor, is_new=is_new)


_WITH_DIGESTS = 6
"""The first version that has digests."""


def _adopt_engine(cursor: Connection) -> None:
    """Make the digests anew if they are those of another version of DuckDB, whose hashes may differ."""
    rows, current = cursor.execute("SELECT engine FROM meta").fetchall(), engine_mark(cursor)
    if rows != [(current,)]:
        check_mark(str(rows[0][0]))
        renew_every_digest(cursor)
        cursor.execute("UPDATE meta SET engine = ?", [current])


NewColumns = Mapping[str, Mapping[str, str]]
"""The names and types of columns to add, by table."""


def new_columns(cursor: Connection, stored: Iterable[tuple[Dataset, BucketWidth]]) -> NewColumns:
    """Return what the tables of `stored` lack: their datasets have since got these dimensions and metrics."""
    lacking: dict[str, dict[str, str]] = {}
    for dataset, width in stored:
        for table, columns in _tables_of(dataset, width):
            # A query of the catalog takes 15 ms at each start: DuckDB first lists all of its own views.
            described = cursor.execute(f"SELECT * FROM {quoted(table)} LIMIT 0").description
            existing = {column[0] for column in described}
            missing = {name: kind for name, kind in columns.items() if name not in existing}
            if missing:
                lacking[table] = missing
    return lacking


def add_columns(cursor: Connection, columns: NewColumns) -> None:
    """Add columns; raises StoreDamaged if a table is damaged, or lacks a column that it once had."""
    for table in columns:
        check_table(cursor, table)
    for table, kinds in columns.items():
        for name, kind in kinds.items():
            cursor.execute(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(name)} {kind}")
    renew_digests(cursor, [*columns])


def create_tables(cursor: Connection, dataset: Dataset, width: BucketWidth) -> tuple[str, ...]:
    """Create the tables of a dataset and width if they don't exist; return their names."""
    tables = _tables_of(dataset, width)
    for table, columns in tables:
        listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {quoted(table)} ({listed})")
    return tuple(table for table, _ in tables)


def combination_table(dataset: Dataset) -> str:
    """Return the name of the table of a dataset's combinations."""
    return f"combination_{dataset.name}"


def read_combinations(cursor: Connection, dataset: Dataset, first: int = 0) -> list[Combination]:
    """Return the values of each stored combination of a dataset, by id, from the id `first` on."""
    if combination_table(dataset) not in existing_tables(cursor):
        return []
    columns = ", ".join(quoted(dimension.name) for dimension in dataset.dimensions)
    table = quoted(combination_table(dataset))
    return cursor.execute(f"SELECT {columns} FROM {table} WHERE id >= ? ORDER BY id", [first]).fetchall()


def fact_table(dataset: Dataset, width: BucketWidth) -> str:
    """Return the name of the table of a dataset's facts in buckets of one width."""
    return f"usage_{dataset.name}_{width.value}"


def existing_tables(cursor: Connection) -> frozenset[str]:
    """Return the names of all tables in the file."""
    return frozenset(_tables(cursor))


def _tables_of(dataset: Dataset, width: BucketWidth) -> tuple[tuple[str, dict[str, str]], ...]:
    """Return name and columns of each table of a dataset and width."""
    return (
        (combination_table(dataset), _combination_columns(dataset)),
        (fact_table(dataset, width), _fact_columns(dataset)),
    )


def _combination_columns(dataset: Dataset) -> dict[str, str]:
    """Return `id` and a text column for each dimension: null for none, true or false for a boolean."""
    return {"id": "INTEGER NOT NULL"} | {dimension.name: "VARCHAR" for dimension in dataset.dimensions}


def _fact_columns(dataset: Dataset) -> dict[str, str]:
    """Return the columns of facts: `bucket` is a start (epoch seconds), `extra` a JSON object of unknown fields."""
    kinds = {metric.name: DECIMAL if metric.kind is Kind.DECIMAL else "BIGINT" for metric in dataset.metrics}
    return {"bucket": "BIGINT NOT NULL", "combination": "INTEGER NOT NULL", **kinds, "extra": "VARCHAR"}


def _tables(cursor: Connection) -> dict[str, set[str]]:
    """Return the column names of each table."""
    tables: dict[str, set[str]] = {}
    rows = cursor.execute(
        "SELECT table_name, column_name FROM duckdb_columns()"
        " WHERE NOT internal AND database_name = current_database()"
    ).fetchall()
    for table, column in rows:
        tables.setdefault(table, set()).add(column)
    return tables
