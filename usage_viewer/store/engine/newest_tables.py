"""Creates the tables of a new file in their newest version, without the steps that migrate older files."""

from collections.abc import Mapping
from typing import Final

from usage_viewer.store.engine.database import Connection, quoted

_BUCKET = {"dataset": "VARCHAR NOT NULL", "width": "VARCHAR NOT NULL", "start": "BIGINT NOT NULL"}
_SUMMED = {"rows": "BIGINT NOT NULL", "digest": "BIGINT NOT NULL"}

WITH_DIGEST: Final[Mapping[str, Mapping[str, str]]] = {
    "held": {
        **_BUCKET,
        "fetched_at": "BIGINT NOT NULL",
        "grouped": "VARCHAR NOT NULL",
        "repeats": "BOOLEAN NOT NULL",
        "rows": "BIGINT DEFAULT 0",
        "digest": "BIGINT DEFAULT 0",
    },
    "name": {
        "kind": "VARCHAR NOT NULL",
        "id": "VARCHAR NOT NULL",
        "name": "VARCHAR NOT NULL",
        "seen": "BIGINT NOT NULL",
        "deleted": "BOOLEAN NOT NULL",
        "last_used": "BIGINT",
    },
    "change": {
        "dataset": "VARCHAR NOT NULL",
        "width": "VARCHAR NOT NULL",
        "bucket": "BIGINT NOT NULL",
        "combination": "INTEGER NOT NULL",
        "metric": "VARCHAR NOT NULL",
        "before": "VARCHAR",
        "after": "VARCHAR",
        "settled": "BOOLEAN NOT NULL",
        "seen_at": "BIGINT NOT NULL",
    },
    "comparison": {
        **_BUCKET,
        "fetched_at": "BIGINT NOT NULL",
        "compared_at": "BIGINT NOT NULL",
        "grew": "BOOLEAN NOT NULL",
    },
    "difference": {
        **_BUCKET,
        "metric": "VARCHAR NOT NULL",
        "unit": "VARCHAR",
        "local_value": "VARCHAR NOT NULL",
        "server_value": "VARCHAR NOT NULL",
    },
    "refusal": {
        "dataset": "VARCHAR NOT NULL",
        "dimensions": "VARCHAR NOT NULL",
        "blamed": "VARCHAR NOT NULL",
        "since": "BIGINT",
        "until": "BIGINT",
        "learnt_at": "BIGINT NOT NULL",
        "granted_from": "BIGINT",
    },
    "name_list": {"list": "VARCHAR NOT NULL", "read_at": "BIGINT NOT NULL"},
    "attributed": {"start": "BIGINT NOT NULL", "signature": "VARCHAR NOT NULL"},
}
"""The columns of each table that has a digest: what they mean is said in the steps of `schema.py`."""

_OTHERS: Final[Mapping[str, Mapping[str, str]]] = {
    "meta": {"version": "INTEGER NOT NULL", "engine": "VARCHAR"},
    "digest": {"name": "VARCHAR NOT NULL", "columns": "VARCHAR NOT NULL", **_SUMMED},
}


def create_newest(cursor: Connection, version: int, engine: str) -> None:
    """Create all tables of a file without tables, with the digests of tables without rows."""
    tables = {**_OTHERS, **WITH_DIGEST}
    cursor.execute(";".join(_create_sql(name, columns) for name, columns in tables.items()))
    cursor.execute("INSERT INTO meta VALUES (?, ?)", [version, engine])
    rows = ", ".join(["(?, ?, 0, 0)"] * len(WITH_DIGEST))
    values = [text for name, columns in WITH_DIGEST.items() for text in (name, ",".join(columns))]
    cursor.execute(f"INSERT INTO digest VALUES {rows}", values)


def _create_sql(name: str, columns: Mapping[str, str]) -> str:
    return f"CREATE TABLE {name} ({', '.join(f'{quoted(column)} {kind}' for column, kind in columns.items())})"
