"""Computes what caches and batches have saved: at the own prices of the same day, in whole units of 10^-12."""

from typing import Final

from usage_viewer.domain.catalog import SPEND
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.schema import DECIMAL, combination_table, fact_table
from usage_viewer.store.spend.shares import UNIT

_FACTS: Final = quoted(fact_table(SPEND, BucketWidth.DAY))
_CELLS: Final = quoted(combination_table(SPEND))
_CACHED: Final = "cached input"
_SAME: Final = ("service", "model", "service_tier", "currency", "quantity_unit")
"""The dimensions in which saved usage and the usage with the ordinary price are equal."""


def add_savings(cursor: Connection) -> None:
    """Set the figures of savings of the days in `spend_right`, in the caller's transaction.

    A figure stays missing where that day has no ordinary price. What a division leaves below a unit is dropped.
    """
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE spend_price AS SELECT bucket, "
        + ", ".join(f"cell.{name}" for name in _SAME)
        + f", cell.batch, cell.token_kind, sum({_units('amount')}) AS amounts,"
        f" sum({_units('quantity')}) AS quantities"
        f" FROM {_FACTS} JOIN {_CELLS} AS cell ON cell.id = combination"
        " WHERE bucket IN (SELECT start FROM spend_right) AND cell.service IS NOT NULL"
        " AND cell.token_kind IS NOT NULL AND quantity > 0 GROUP BY ALL"
    )
    is_cached = f"cell.token_kind LIKE '%{_CACHED}'"
    uncached = f"price.token_kind = replace(cell.token_kind, '{_CACHED}', 'input')"
    _set(cursor, "saved_by_cache", is_cached, f"{uncached} AND price.batch IS NOT DISTINCT FROM cell.batch")
    same_kind = "price.token_kind = cell.token_kind"
    _set(cursor, "saved_by_batch", "cell.batch = 'true'", f"{same_kind} AND price.batch = 'false'")
    cursor.execute("DROP TABLE spend_price")


def _set(cursor: Connection, figure: str, saved: str, ordinary: str) -> None:
    """Set a figure where `saved` is true: the quantity at the `ordinary` price, less the amount."""
    same = " AND ".join(f"price.{name} IS NOT DISTINCT FROM cell.{name}" for name in _SAME)
    # Whole tokens: a quantity in units of 10^-12 times an amount in such units would not fit 128 bits.
    units = f"({_units('fact.quantity')} // {UNIT}) * price.amounts // (price.quantities // {UNIT})"
    at_price = f"({units})::DECIMAL(26, 0) * 0.000000000001::DECIMAL(12, 12)"
    cursor.execute(
        f"UPDATE {_FACTS} AS fact SET {figure} = ({at_price})::{DECIMAL} - fact.amount"
        f" FROM {_CELLS} AS cell, spend_price AS price"
        f" WHERE cell.id = fact.combination AND price.bucket = fact.bucket AND {saved} AND {ordinary} AND {same}"
        f" AND fact.quantity > 0 AND price.quantities >= {UNIT}"
        " AND fact.bucket IN (SELECT start FROM spend_right)"
    )


def _units(column: str) -> str:
    """Return the SQL of a decimal in units of 10^-12, as a whole number that has no more digits."""
    whole = f"trunc({column})"
    return (
        f"({whole}::HUGEINT * {UNIT}"
        f" + trunc(({column} - {whole})::DECIMAL(25, 24) * {UNIT}::DECIMAL(13, 0))::HUGEINT)"
    )
