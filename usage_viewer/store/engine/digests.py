"""Keeps a digest of everything stored, which finds damage that the checksums of DuckDB's blocks can't see.

DuckDB's checksum of a block adds up its words: it is the same for these words in another order. A digest is a sum,
over rows, of a hash of all columns. The table `held` has the digest of each bucket's facts, the table `digest` has
that of each other table. Both are maintained in the transaction that changes rows, and only the rows that change
are read for it, so that damage to others stays visible.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import numpy as np

from usage_viewer.domain.errors import StoreDamaged
from usage_viewer.store.engine.database import Connection, quoted

MODULUS = 2**62
"""A digest is a sum modulo this number: it fits BIGINT."""

FACT_PREFIX = "usage_"
"""The names of tables of facts begin with this."""

_WITHOUT_DIGEST = ("digest", "meta")


@contextmanager
def tracked(cursor: Connection, table: str, where: str = "true", values: Sequence[object] = ()) -> Iterator[None]:
    """Maintain the digest of a table while the caller changes only rows for which `where` is true."""
    columns = _recorded_columns(cursor, table)
    rows, digest = _rows_and_digest(cursor, table, columns, where, values)
    yield
    new_rows, new_digest = _rows_and_digest(cursor, table, columns, where, values)
    cursor.execute(
        f"UPDATE digest SET rows = rows + ?, digest = (digest::HUGEINT + ?) % {MODULUS} WHERE name = ?",
        [new_rows - rows, (new_digest - digest) % MODULUS, table],
    )


def start_digest(cursor: Connection, table: str) -> None:
    """Record the columns of a table without rows, unless it has a digest."""
    if not cursor.execute("SELECT 1 FROM digest WHERE name = ?", [table]).fetchall():
        columns = ",".join(_existing_columns(cursor, table))
        cursor.execute("INSERT INTO digest VALUES (?, ?, 0, 0)", [table, columns])


def renew_digests(cursor: Connection, tables: Sequence[str]) -> None:
    """Record the digests of these tables as they are now, with all of their columns."""
    for table in tables:
        cursor.execute("DELETE FROM digest WHERE name = ?", [table])
        start_digest(cursor, table)
        if table.startswith(FACT_PREFIX):
            _renew_facts(cursor, table)
    for table in [*(name for name in tables if not name.startswith(FACT_PREFIX)), "held"]:
        current = _rows_and_digest(cursor, table, _recorded_columns(cursor, table))
        cursor.execute("UPDATE digest SET rows = ?, digest = ? WHERE name = ?", [*current, table])


def renew_every_digest(cursor: Connection) -> None:
    """Record the digests of all tables as they are now."""
    cursor.execute("DELETE FROM digest")
    tables = sorted(_tables(cursor) - {"held"})
    start_digest(cursor, "held")
    renew_digests(cursor, tables)


def bucket_digests(cursor: Connection, table: str, where: str = "true") -> str:
    """Return the SQL of the columns bucket, rows and digest of each bucket of a table of facts."""
    digest = _digest_sql(_recorded_columns(cursor, table))
    return (
        f'SELECT bucket, count(*) AS "rows", {digest} AS digest FROM {quoted(table)} WHERE {where} GROUP BY bucket'
    )


def check_tables(cursor: Connection) -> None:
    """Compare every table except those of facts with its digest. Raises StoreDamaged."""
    recorded = {name for (name,) in cursor.execute("SELECT name FROM digest").fetchall()}
    if recorded != _tables(cursor):
        raise StoreDamaged("A table is missing, or there is one more than the program made.")
    for name in sorted(recorded):
        if not name.startswith(FACT_PREFIX):
            check_table(cursor, name)


def check_table(cursor: Connection, table: str) -> None:
    """Compare a table with its digest, one of facts with those of its buckets. Raises StoreDamaged."""
    if table.startswith(FACT_PREFIX):
        same = _are_facts_right(cursor, table)
    else:
        recorded = cursor.execute('SELECT "rows", digest FROM digest WHERE name = ?', [table]).fetchall()
        same = recorded == [_rows_and_digest(cursor, table, _recorded_columns(cursor, table))]
    if not same:
        raise _differs(table)


def _are_facts_right(cursor: Connection, table: str) -> bool:
    now = cursor.execute(f"{bucket_digests(cursor, table)} ORDER BY bucket").fetchnumpy()
    recorded = cursor.execute(
        'SELECT start AS bucket, "rows", digest FROM held WHERE dataset = ? AND width = ? AND "rows" != 0'
        " ORDER BY start",
        _dataset_and_width(table),
    ).fetchnumpy()
    return all(np.array_equal(now[name], recorded[name]) for name in recorded)


def engine_mark(cursor: Connection) -> str:
    """Return a text that is equal for engines whose hashes are equal, with a checksum of its own."""
    hashes = cursor.execute(
        "SELECT hash(n, n::DECIMAL(38, 24), n::VARCHAR, n % 2 = 0, NULL::BIGINT, -n::DECIMAL(38, 24))"
        " FROM range(2) AS t(n)"
    ).fetchall()
    text = f"{duckdb.__version__} {sum(row[0] for row in hashes)}"
    return f"{text} {zlib.crc32(text.encode())}"


def check_mark(mark: str) -> None:
    """Raise StoreDamaged if a stored mark is none that `engine_mark` returns, in any version."""
    text, _, checksum = mark.rpartition(" ")
    if checksum != str(zlib.crc32(text.encode())):
        raise StoreDamaged("The mark of the database engine is damaged.")


def _renew_facts(cursor: Connection, table: str) -> None:
    cursor.execute(
        'UPDATE held SET "rows" = now."rows", digest = now.digest'
        f" FROM ({bucket_digests(cursor, table)}) AS now"
        " WHERE held.dataset = ? AND held.width = ? AND held.start = now.bucket",
        _dataset_and_width(table),
    )


def _dataset_and_width(table: str) -> list[str]:
    dataset, _, width = table.removeprefix(FACT_PREFIX).rpartition("_")
    return [dataset, width]


def _rows_and_digest(
    cursor: Connection,
    table: str,
    columns: Sequence[str],
    where: str = "true",
    values: Sequence[object] = (),
) -> tuple[int, int]:
    rows, digest = cursor.execute(
        f"SELECT count(*), {_digest_sql(columns)} FROM {quoted(table)} WHERE {where}", list(values)
    ).fetchall()[0]
    return rows, digest


def _digest_sql(columns: Sequence[str]) -> str:
    return f"coalesce(sum(hash({', '.join(columns)})) % {MODULUS}, 0)::BIGINT"


def _recorded_columns(cursor: Connection, table: str) -> list[str]:
    """Return the SQL of each value of a row that the digest of a table is made of. Raises StoreDamaged."""
    recorded = cursor.execute("SELECT columns FROM digest WHERE name = ?", [table]).fetchall()
    existing = _existing_columns(cursor, table)
    names = recorded[0][0].split(",") if len(recorded) == 1 else []
    if not names or not existing.keys() >= set(names):
        raise _differs(table)
    # The hash of a decimal is the same if its two words are exchanged. The hash of its opposite is not then.
    return [sql for name in names for sql in (quoted(name), *([f"-{quoted(name)}"] if existing[name] else []))]


def _existing_columns(cursor: Connection, table: str) -> dict[str, bool]:
    """Return the columns of a table, and whether each has decimals."""
    described = cursor.execute(f"SELECT * FROM {quoted(table)} LIMIT 0").description
    return {column[0]: str(column[1]).startswith("DECIMAL") for column in described}


def _tables(cursor: Connection) -> set[str]:
    rows = cursor.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary"
        " AND database_name = current_database()"
    ).fetchall()
    return {name for (name,) in rows} - set(_WITHOUT_DIGEST)


def _differs(table: str) -> StoreDamaged:
    return StoreDamaged(f"The rows of the table {table} are not those that were written.")
