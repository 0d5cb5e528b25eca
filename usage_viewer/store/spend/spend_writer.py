"""Writes the parts of attributed days as facts of the dataset `spend`, after it has compared them with the bill."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import SPEND
from usage_viewer.domain.cost_figures import SAVINGS
from usage_viewer.domain.errors import StoreError
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.spend import Attribution
from usage_viewer.domain.view import NOT_AVAILABLE
from usage_viewer.query.spend.proposals import counted, per_unit
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.digests import bucket_digests, tracked
from usage_viewer.store.engine.schema import DECIMAL, combination_table, fact_table
from usage_viewer.store.spend.attribution import DayCosts, ServiceUsage, attribute
from usage_viewer.store.spend.savings import SAVINGS_TABLES, make_prices, price_joins, saving_columns
from usage_viewer.store.spend.shares import PART_TABLE

_WHO = ("project_id", "user_id", "api_key_id", "api_source")
_OF_PART = ("cost", "line", "service", "usage", "attribution", "reason")
_NAMES = tuple(item.name for item in SPEND.dimensions)
_CELLS = quoted(combination_table(SPEND))
_FACTS = quoted(fact_table(SPEND, BucketWidth.DAY))
_STEPS = ("spend_part", "spend_fact", "spend_key", "spend_value", "spend_id")


_MOST_TOKENS = 10**9  # in one unit of a quantity


def write_days(cursor: Connection, days: DayCosts, signatures: Mapping[int, str]) -> set[int]:
    """Replace days of the dataset `spend` in the caller's transaction.

    A day whose parts do not add up to each row of its costs is removed; returns these days (epoch seconds). Raises
    StoreError, also if the sum of all parts is not the bill: the transaction must be rolled back then.
    """
    attribute(cursor, days)
    wrong = _wrong_days(cursor, days)
    starts = np.unique(days.starts)
    right = starts[~np.isin(starts, [*wrong])]
    _make_values(cursor, days)
    _number_values(cursor)
    bounds = [int(starts[0]), int(starts[-1])]
    cursor.register("spend_starts", {"start": starts})
    cursor.register("spend_right", {"start": right})
    chosen = "dataset = ? AND width = ? AND start BETWEEN ? AND ?"
    _make_facts(cursor, days)
    make_prices(cursor)
    with tracked(cursor, "held", chosen, [SPEND.name, BucketWidth.DAY.value, *bounds]):
        _replace_facts(cursor, bounds)
        _check_bill(cursor, days)
        _replace_buckets(cursor, bounds)
    _replace_signatures(cursor, {start: signatures[start] for start in right.tolist()}, bounds)
    cursor.unregister("spend_starts")
    cursor.unregister("spend_right")
    for table in (*_STEPS, *SAVINGS_TABLES):
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
    return wrong


def _wrong_days(cursor: Connection, days: DayCosts) -> set[int]:
    """Return the days with a row of costs that is not the sum of its parts."""
    cursor.register("spend_days", {"start": np.unique(days.starts)})
    rows = cursor.execute(
        "SELECT DISTINCT bucket FROM (SELECT bucket, combination AS cost, sum(amount) AS amount,"
        f" sum(quantity) AS quantity FROM {quoted(fact_table(days.costs, BucketWidth.DAY))}"
        " WHERE bucket IN (SELECT start FROM spend_days) GROUP BY ALL) AS bill"
        " FULL JOIN (SELECT bucket, cost, sum(amount) AS amount, sum(quantity) AS quantity"
        f" FROM {PART_TABLE} GROUP BY ALL) AS parts USING (bucket, cost)"
        " WHERE bill.amount IS DISTINCT FROM parts.amount OR bill.quantity IS DISTINCT FROM parts.quantity"
    ).fetchall()
    cursor.unregister("spend_days")
    return {start for (start,) in rows}


def _make_values(cursor: Connection, days: DayCosts) -> None:
    """Make `spend_key`, the distinct kinds of parts, and `spend_value`, their values of each dimension."""
    targets = [meaning.target for meaning in days.meanings]
    cursor.register(
        "spend_meaning",
        {
            "line": np.arange(len(targets), dtype=np.int32),
            "service_name": _objects([None if one is None else one.service for one in targets]),
            "model": _objects([None if one is None else one.model for one in targets]),
            "token_kind": _objects([None if one is None else one.token_kind for one in targets]),
        },
    )
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE spend_key AS SELECT row_number() OVER () AS key, * FROM"
        f" (SELECT DISTINCT {', '.join(_OF_PART)} FROM {PART_TABLE})"
    )
    columns = ", ".join(f"{quoted(name)} VARCHAR" for name in _NAMES)
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE spend_value (key BIGINT, {columns})")
    for number, usage in (*enumerate(days.usage), (None, None)):
        values = _values(days, usage)
        listed = ", ".join(f"({values[name]})::VARCHAR" for name in _NAMES)
        joined = (
            ""
            if usage is None
            else (f" JOIN {quoted(combination_table(usage.dataset))} AS usage ON usage.id = part.usage")
        )
        chosen = "part.usage IS NULL" if usage is None else f"part.usage IS NOT NULL AND part.service = {number}"
        cursor.execute(
            f"INSERT INTO spend_value SELECT part.key, {listed} FROM spend_key AS part"
            f" JOIN {quoted(combination_table(days.costs))} AS cost ON cost.id = part.cost"
            f" JOIN spend_meaning AS meaning ON meaning.line = part.line{joined} WHERE {chosen}"
        )
    cursor.unregister("spend_meaning")


def _values(days: DayCosts, usage: ServiceUsage | None) -> dict[str, str]:
    """Return the SQL of each dimension's value of a part with some usage, or with none."""
    unknown = "'" + NOT_AVAILABLE + "'"

    def of_usage(name: str, otherwise: str) -> str:
        if usage is None or not usage.dataset.has_dimension(name):
            return otherwise
        return f"usage.{quoted(name)}" if name in usage.grain else unknown

    def of_costs(name: str, otherwise: str) -> str:
        return f"cost.{quoted(name)}" if days.costs.has_dimension(name) else otherwise

    who = {name: f"cost.{quoted(name)}" if name in days.grain else of_usage(name, unknown) for name in _WHO}
    service = "CASE WHEN part.reason IS NULL THEN meaning.service_name::VARCHAR END"
    has_model = usage is not None and usage.dataset.has_dimension("model") and "model" in usage.grain
    return who | {
        "service": service if usage is None else f"'{usage.service}'",
        "model": "usage.model" if has_model else "meaning.model",
        "batch": of_usage("batch", "NULL"),
        "service_tier": of_usage("service_tier", "NULL"),
        "line_item": of_costs("line_item", "NULL") if "line_item" in days.grain else unknown,
        "token_kind": "meaning.token_kind",
        "attribution": "part.attribution",
        "reason": "part.reason",
        "currency": of_costs("currency", "NULL"),
        "quantity_unit": of_costs("quantity_unit", "NULL"),
    }


def _number_values(cursor: Connection) -> None:
    """Add the new combinations to those of `spend`, and make `spend_id` with the combination of each key."""
    listed = ", ".join(map(quoted, _NAMES))
    same = " AND ".join(f"cell.{quoted(name)} IS NOT DISTINCT FROM value.{quoted(name)}" for name in _NAMES)
    known = cursor.execute(f"SELECT coalesce(max(id), -1) + 1 FROM {_CELLS}").fetchall()[0][0]
    with tracked(cursor, combination_table(SPEND), "id >= ?", [known]):
        cursor.execute(
            f"INSERT INTO {_CELLS} (id, {listed})"
            f" SELECT {known} - 1 + row_number() OVER (ORDER BY {listed}), {listed}"
            f" FROM (SELECT DISTINCT {listed} FROM spend_value AS value"
            f" WHERE NOT EXISTS (SELECT 1 FROM {_CELLS} AS cell WHERE {same}))"
        )
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE spend_id AS SELECT value.key, cell.id FROM spend_value AS value"
        f" JOIN {_CELLS} AS cell ON {same}"
    )


def _make_facts(cursor: Connection, days: DayCosts) -> None:
    """Make `spend_fact`: the sums of each day and combination; remove the parts, which take as much memory."""
    # Parts of quantities have at most 12 decimals; a division of decimals would return a double.
    scaled = "part.quantity::DECIMAL(26, 12) * scale.scale::VARCHAR::DECIMAL(12, 6)"
    priced = f"(sum({scaled}) FILTER (part.quantity != 0))::{DECIMAL}"
    scales = [str(_price_scale(meaning.unit)) for meaning in days.meanings]
    cursor.register("spend_scale", {"line": np.arange(len(scales), dtype=np.int32), "scale": _objects([*scales])})
    same = " AND ".join(f"part.{name} IS NOT DISTINCT FROM kind.{name}" for name in _OF_PART)
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE spend_fact AS"
        " SELECT part.bucket, spend_id.id AS combination,"
        " sum(part.amount) AS amount, sum(part.quantity) AS quantity,"
        f" sum(part.amount) FILTER (part.attribution = '{Attribution.BY_TOKENS.value}') AS amount_by_tokens,"
        f" sum(part.amount) FILTER (part.attribution = '{Attribution.ASSUMED_FACTOR.value}') AS amount_assumed,"
        " sum(part.amount) FILTER (part.quantity != 0) AS priced_amount,"
        f" {priced} AS priced_quantity FROM {PART_TABLE} AS part"
        f" JOIN spend_key AS kind ON {same} JOIN spend_id USING (key)"
        " JOIN spend_scale AS scale ON scale.line = part.line"
        " WHERE part.bucket IN (SELECT start FROM spend_right) GROUP BY ALL"
    )
    cursor.unregister("spend_scale")
    cursor.execute(f"DROP TABLE {PART_TABLE}")


def _replace_facts(cursor: Connection, bounds: Sequence[int]) -> None:
    cursor.execute(
        f"DELETE FROM {_FACTS} WHERE bucket BETWEEN ? AND ? AND bucket IN (SELECT start FROM spend_starts)",
        list(bounds),
    )
    summed = ("amount", "quantity", "amount_by_tokens", "amount_assumed", "priced_amount", "priced_quantity")
    names = ", ".join(("bucket", "combination", *summed, *SAVINGS))
    columns = ", ".join(f"fact.{name}" for name in ("bucket", "combination", *summed))
    cursor.execute(
        f"INSERT INTO {_FACTS} ({names}) SELECT {columns}, {', '.join(saving_columns())}"
        f" FROM spend_fact AS fact{price_joins()}"
    )


def _price_scale(unit: str | None) -> Decimal:
    """Return how many price units (a million tokens, or one other unit) one unit of a quantity is."""
    return Decimal(min(per_unit(unit), _MOST_TOKENS)).scaleb(-6) if counted(unit) == "tokens" else Decimal(1)


def _check_bill(cursor: Connection, days: DayCosts) -> None:
    """Compare the sums of the written facts with those of the costs, by day and currency. Raises StoreError."""
    selected = (
        "SELECT bucket, currency, sum(amount) AS amount, sum(quantity) AS quantity FROM {} JOIN {} AS cell"
        " ON cell.id = combination WHERE bucket IN (SELECT start FROM spend_right) GROUP BY ALL ORDER BY ALL"
    )
    written = cursor.execute(selected.format(_FACTS, _CELLS)).fetchall()
    bill = selected.format(quoted(fact_table(days.costs, BucketWidth.DAY)), quoted(combination_table(days.costs)))
    if written != cursor.execute(bill).fetchall():
        raise StoreError(
            "The sum of all parts is not the bill.",
            title="Spend could not be computed",
            hint="The stored costs and usage are unchanged. Please report this.",
        )


def _replace_buckets(cursor: Connection, bounds: Sequence[int]) -> None:
    chosen = "dataset = ? AND width = ? AND start BETWEEN ? AND ? AND start IN (SELECT start FROM spend_starts)"
    key = [SPEND.name, BucketWidth.DAY.value]
    cursor.execute(f"DELETE FROM held WHERE {chosen}", [*key, *bounds])
    digests = bucket_digests(cursor, fact_table(SPEND, BucketWidth.DAY), "bucket BETWEEN ? AND ?")
    fetched = "coalesce((SELECT max(fetched_at) FROM held AS bill WHERE bill.start = day.start AND width = ?), 0)"
    cursor.execute(
        f"INSERT INTO held SELECT ?, ?, day.start, {fetched}, ?, false, coalesce(written.rows, 0),"
        f" coalesce(written.digest, 0) FROM spend_right AS day LEFT JOIN ({digests}) AS written"
        " ON day.start = bucket ORDER BY day.start",
        [*key, BucketWidth.DAY.value, ",".join(SPEND.group_by), *bounds],
    )


def _replace_signatures(cursor: Connection, signatures: Mapping[int, str], bounds: Sequence[int]) -> None:
    with tracked(cursor, "attributed", "start BETWEEN ? AND ?", list(bounds)):
        cursor.execute("DELETE FROM attributed WHERE start IN (SELECT start FROM spend_starts)")
        if signatures:
            cursor.register(
                "spend_signature",
                {"start": np.array([*signatures], np.int64), "signature": _objects([*signatures.values()])},
            )
            cursor.execute("INSERT INTO attributed SELECT start, signature::VARCHAR FROM spend_signature")
            cursor.unregister("spend_signature")


def _objects(values: Sequence[str | None]) -> NDArray[Any]:
    column = np.empty(len(values), np.object_)
    column[:] = values
    return column
