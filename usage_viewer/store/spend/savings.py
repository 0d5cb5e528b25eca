"""Computes what caches and batches have saved: at the own prices of the same day, in whole units of 10^-12."""

from typing import Final

from usage_viewer.domain.catalog import SPEND
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.schema import DECIMAL, combination_table
from usage_viewer.store.spend.shares import UNIT

_CELLS: Final = quoted(combination_table(SPEND))
_CACHED: Final = "cached input"
_SAME: Final = ("service", "model", "service_tier", "currency", "quantity_unit")
"""The dimensions in which saved usage and the usage with the ordinary price are equal."""

SAVINGS_TABLES: Final = ("spend_class", "spend_member", "spend_price")


def make_prices(cursor: Connection) -> None:
    """Make `spend_price`, the sums of each day and class of usage, and `spend_member`, the class of a combination.

    The facts are those of the temporary table `spend_fact`. A member has the classes whose prices are the ordinary
    ones for it: `uncached` if it is cached input, `unbatched` if it is a batch.
    """
    same = ", ".join(f"cell.{name}" for name in _SAME)
    equal = " AND ".join(f"other.{name} IS NOT DISTINCT FROM own.{name}" for name in _SAME)
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE spend_class AS SELECT row_number() OVER () AS class, * FROM"
        f" (SELECT {same}, cell.batch, cell.token_kind, list(cell.id) AS ids FROM {_CELLS} AS cell"
        " WHERE cell.id IN (SELECT combination FROM spend_fact) AND cell.service IS NOT NULL"
        " AND cell.token_kind IS NOT NULL GROUP BY ALL)"
    )
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE spend_member AS SELECT unnest(own.ids) AS combination, own.class,"
        " uncached.class AS uncached, unbatched.class AS unbatched FROM spend_class AS own"
        f" LEFT JOIN spend_class AS uncached ON own.token_kind LIKE '%{_CACHED}'"
        f" AND uncached.token_kind = replace(own.token_kind, '{_CACHED}', 'input')"
        f" AND uncached.batch IS NOT DISTINCT FROM own.batch AND {equal.replace('other.', 'uncached.')}"
        " LEFT JOIN spend_class AS unbatched ON own.batch = 'true' AND unbatched.batch = 'false'"
        f" AND unbatched.token_kind = own.token_kind AND {equal.replace('other.', 'unbatched.')}"
    )
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE spend_price AS SELECT bucket, class,"
        f" sum({_units('amount')}) AS amounts, sum({_units('quantity')}) // {UNIT} AS quantities"
        " FROM spend_fact JOIN spend_member USING (combination) WHERE quantity > 0 GROUP BY ALL"
        " HAVING quantities > 0"
    )


def saving_columns() -> tuple[str, str]:
    """Return the SQL of the figures `saved_by_cache` and `saved_by_batch` of `fact`, a row of `spend_fact`.

    A figure is missing where that day has no ordinary price. What a division leaves below a unit is dropped.
    """
    return _saving("uncached"), _saving("unbatched")


def price_joins() -> str:
    """Return the SQL of the joins that `saving_columns` needs."""
    return " LEFT JOIN spend_member AS member ON member.combination = fact.combination" + "".join(
        f" LEFT JOIN spend_price AS {name} ON {name}.bucket = fact.bucket AND {name}.class = member.{name}"
        for name in ("uncached", "unbatched")
    )


def _saving(price: str) -> str:
    # Whole tokens: a quantity in units of 10^-12 times an amount in such units would not fit 128 bits.
    tokens = f"{_units('fact.quantity')} // {UNIT}"
    units = f"(({tokens}) * {price}.amounts // {price}.quantities)::DECIMAL(26, 0)"
    at_price = f"({units} * 0.000000000001::DECIMAL(12, 12))::{DECIMAL}"
    return f"CASE WHEN fact.quantity > 0 THEN {at_price} - fact.amount END"


def _units(column: str) -> str:
    """Return the SQL of a decimal in units of 10^-12, without what is smaller."""
    whole = f"trunc({column})"
    return (
        f"({whole}::HUGEINT * {UNIT}"
        f" + trunc(({column} - {whole})::DECIMAL(25, 24) * {UNIT}::DECIMAL(13, 0))::HUGEINT)"
    )
