"""Writes the parts of attributed days as facts of the dataset `spend`, after it has compared them with the bill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import SPEND
from usage_viewer.domain.errors import StoreError
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.spend import Attribution
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.query.spend.exact_numbers import ExactNumbers
from usage_viewer.query.spend.proposals import counted, per_unit
from usage_viewer.query.spend.savings import OwnPrices
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.digests import bucket_digests, tracked
from usage_viewer.store.engine.schema import DECIMAL, combination_table, fact_table
from usage_viewer.store.spend.attribution import DayCosts, Indexes, Parts, attribute
from usage_viewer.store.spend.cell_pairs import as_objects
from usage_viewer.store.spend.spend_facts import SpendFacts, make_facts

_NAMES: Final = tuple(item.name for item in SPEND.dimensions)
_CELLS: Final = quoted(combination_table(SPEND))
_FACTS: Final = quoted(fact_table(SPEND, BucketWidth.DAY))
_MOST_TOKENS: Final = 10**9  # in one unit of a quantity
_MILLION: Final = 10**6

_SCALED_QUANTITY: Final = (
    "((quantity_whole::DECIMAL(26, 12) + ((quantity_units + round(quantity_tail / 1e12)::BIGINT)::DECIMAL(19, 0)"
    " * 0.000000000001::DECIMAL(12, 12))::DECIMAL(26, 12))"
    f" * (scale::DECIMAL(10, 0) * 0.000001::DECIMAL(6, 6))::DECIMAL(12, 6))::{DECIMAL}"
)
"""SQL of a quantity, with 12 decimals, in units of price: a division of decimals would return a double."""

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class AttributedDays:
    """Days that are ready to be written: `wrong` ones (epoch seconds) do not add up to their costs.

    `columns` are those of the facts of the other days, `combination` is the position of each in `combinations`.
    """

    days: DayCosts
    wrong: frozenset[int]
    right: NDArray[np.int64]
    combinations: Sequence[Combination]
    combination: NDArray[np.intp]
    columns: Columns


def attribute_days(cursor: Connection, indexes: Indexes, days: DayCosts) -> AttributedDays:
    """Split the costs of some days, and compare the parts with each row of the costs. Raises StoreError."""
    parts = attribute(cursor, indexes, days)
    wrong = _wrong_days(cursor, days, parts)
    starts = np.unique(days.starts)
    right = starts[~np.isin(starts, [*wrong])]
    facts = make_facts(parts, days)
    kept = np.isin(facts.bucket, right) if wrong else slice(None)
    columns = {name: column[kept] for name, column in _fact_columns(facts).items()}
    return AttributedDays(days, wrong, right, facts.combinations, facts.cell[kept], columns)


def write_days(
    cursor: Connection, index: DimensionIndex, attributed: AttributedDays, signatures: Mapping[int, str]
) -> None:
    """Replace days of the dataset `spend` in the caller's transaction; those that do not add up are removed.

    `index` has all stored combinations of spend. Raises StoreError, also if the sum of all parts is not the bill:
    the transaction must be rolled back then.
    """
    starts, right = np.unique(attributed.days.starts), attributed.right
    bounds = [int(starts[0]), int(starts[-1])]
    ids = _number_combinations(cursor, index, attributed.combinations)
    cursor.register("spend_starts", {"start": starts})
    cursor.register("spend_right", {"start": right})
    chosen = "dataset = ? AND width = ? AND start BETWEEN ? AND ?"
    with tracked(cursor, "held", chosen, [SPEND.name, BucketWidth.DAY.value, *bounds]):
        _replace_facts(cursor, attributed, ids, bounds)
        _check_bill(cursor, attributed.days, bounds)
        _replace_buckets(cursor, bounds)
    _replace_signatures(cursor, {start: signatures[start] for start in right.tolist()}, bounds)
    cursor.unregister("spend_starts")
    cursor.unregister("spend_right")


def _wrong_days(cursor: Connection, days: DayCosts, parts: Parts) -> frozenset[int]:
    """Return the days with a row of costs that is not the sum of its parts."""
    columns: Columns = {
        "bucket": parts.bucket,
        "cost": parts.cost_cells.ids[parts.cost],
        **_columns_of("amount", parts.amount),
        **_columns_of("quantity", parts.quantity),
    }
    cursor.register("spend_part", columns)
    starts = np.unique(days.starts)
    cursor.register("spend_days", {"start": starts})
    rows = cursor.execute(
        "SELECT DISTINCT bucket FROM (SELECT bucket, combination AS cost, sum(amount) AS amount,"
        f" sum(quantity) AS quantity FROM {quoted(fact_table(days.costs, BucketWidth.DAY))}"
        " WHERE bucket BETWEEN ? AND ? AND bucket IN (SELECT start FROM spend_days) GROUP BY ALL) AS bill"
        f" FULL JOIN (SELECT bucket, cost, sum({_decimal('amount', parts.amount)}) AS amount,"
        f" sum({_decimal('quantity', parts.quantity)}) AS quantity FROM spend_part GROUP BY ALL) AS parts"
        " USING (bucket, cost)"
        " WHERE bill.amount IS DISTINCT FROM parts.amount OR bill.quantity IS DISTINCT FROM parts.quantity",
        [int(starts[0]), int(starts[-1])],
    ).fetchall()
    cursor.unregister("spend_days")
    cursor.unregister("spend_part")
    return frozenset(start for (start,) in rows)


def _fact_columns(facts: SpendFacts) -> Columns:
    """Return the figures of facts as the whole numbers that `_replace_facts` reads."""
    day = np.unique(facts.bucket, return_inverse=True)[1]
    prices = OwnPrices(facts.columns, day, facts.cell, facts.amount, facts.quantity)
    attributions = np.array(facts.columns["attribution"])
    units = facts.columns["quantity_unit"]
    scale_of = {unit: _price_scale(unit) for unit in set(units)}
    scales = np.array([scale_of[unit] for unit in units], np.int64)
    return {
        "bucket": facts.bucket,
        **_columns_of("amount", facts.amount),
        **_columns_of("quantity", facts.quantity),
        **_columns_of("priced", facts.priced),
        "scale": scales[facts.cell],
        "by_tokens": (attributions == Attribution.BY_TOKENS.value)[facts.cell],
        "assumed": (attributions == Attribution.ASSUMED_FACTOR.value)[facts.cell],
        **_columns_of("cache", prices.uncached()),
        **_columns_of("batch", prices.unbatched()),
    }


def _columns_of(name: str, numbers: ExactNumbers) -> Columns:
    return {f"{name}_{part}": getattr(numbers, part) for part in ExactNumbers.__slots__}


def _number_combinations(
    cursor: Connection, index: DimensionIndex, combinations: Sequence[Combination]
) -> NDArray[np.int32]:
    """Return the id of each combination, after the new ones were added to the table."""
    ids = index.find(combinations)
    new = [combinations[position] for position in np.flatnonzero(ids < 0).tolist()]
    if new:
        new.sort(key=lambda values: [(value is not None, value or "") for value in values])
        numbers = {combination: len(index) + position for position, combination in enumerate(new)}
        listed = ", ".join(map(quoted, _NAMES))
        columns = {name: as_objects(values) for name, values in zip(_NAMES, zip(*new, strict=True), strict=True)}
        cursor.register("spend_cell", {"id": np.array([*numbers.values()], np.int32), **columns})
        texts = ", ".join(f"{quoted(name)}::VARCHAR" for name in _NAMES)
        with tracked(cursor, combination_table(SPEND), "id >= ?", [len(index)]):
            cursor.execute(f"INSERT INTO {_CELLS} (id, {listed}) SELECT id, {texts} FROM spend_cell ORDER BY id")
        cursor.unregister("spend_cell")
        ids = np.array([numbers.get(values, found) for values, found in zip(combinations, ids, strict=True)])
    return ids.astype(np.int32)


def _replace_facts(
    cursor: Connection, attributed: AttributedDays, ids: NDArray[np.int32], bounds: Sequence[int]
) -> None:
    cursor.execute(
        f"DELETE FROM {_FACTS} WHERE bucket BETWEEN ? AND ? AND bucket IN (SELECT start FROM spend_starts)",
        list(bounds),
    )
    columns = attributed.columns
    combination = ids[attributed.combination] if len(ids) else np.empty(0, np.int32)
    cursor.register("spend_fact", {"combination": combination, **columns})
    amount, quantity, priced, cache, batch = (
        _decimal(name, ExactNumbers(*(columns[f"{name}_{part}"] for part in ExactNumbers.__slots__)))
        for name in ("amount", "quantity", "priced", "cache", "batch")
    )
    figures = {
        "amount": "amount",
        "quantity": quantity,
        "amount_by_tokens": "CASE WHEN by_tokens THEN amount END",
        "amount_assumed": "CASE WHEN assumed THEN amount END",
        "priced_amount": priced,
        "priced_quantity": f"CASE WHEN priced_known THEN {_SCALED_QUANTITY} END",
        "saved_by_cache": f"({cache}) - amount",
        "saved_by_batch": f"({batch}) - amount",
    }
    cursor.execute(
        f"INSERT INTO {_FACTS} (bucket, combination, {', '.join(figures)})"
        f" SELECT bucket, combination, {', '.join(figures.values())}"
        f" FROM (SELECT *, {amount} AS amount FROM spend_fact)"
    )
    cursor.unregister("spend_fact")


def _decimal(name: str, numbers: ExactNumbers) -> str:
    """Return the SQL of numbers that are the columns `name`_whole, … (see `_columns_of`) as decimals.

    What is equal in all numbers is left out.
    """
    if not numbers.known.any():
        return f"NULL::{DECIMAL}"
    terms = [f"{name}_whole::{DECIMAL}"]
    if numbers.units.any():
        terms.append(f"({name}_units::DECIMAL(19, 0) * 0.000000000001::DECIMAL(12, 12))::{DECIMAL}")
    if numbers.tail.any():
        terms.append(f"({name}_tail::DECIMAL(14, 0) * 0.{'0' * 23}1::DECIMAL(24, 24))::{DECIMAL}")
    total = " + ".join(terms)
    return f"({total})" if numbers.known.all() else f"CASE WHEN {name}_known THEN {total} END"


def _price_scale(unit: str | None) -> int:
    """Return how many millionths of a price unit (a million tokens, or one other unit) one of a quantity is."""
    return min(per_unit(unit), _MOST_TOKENS) if counted(unit) == "tokens" else _MILLION


def _check_bill(cursor: Connection, days: DayCosts, bounds: Sequence[int]) -> None:
    """Compare the sums of the written facts with those of the costs, by day and currency. Raises StoreError."""
    selected = (
        "SELECT bucket, currency, sum(amount) AS amount, sum(quantity) AS quantity FROM {} JOIN {} AS cell"
        " ON cell.id = combination WHERE bucket BETWEEN ? AND ? AND bucket IN (SELECT start FROM spend_right)"
        " GROUP BY ALL ORDER BY ALL"
    )
    written = cursor.execute(selected.format(_FACTS, _CELLS), list(bounds)).fetchall()
    bill = selected.format(quoted(fact_table(days.costs, BucketWidth.DAY)), quoted(combination_table(days.costs)))
    if written != cursor.execute(bill, list(bounds)).fetchall():
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
                {"start": np.array([*signatures], np.int64), "signature": as_objects([*signatures.values()])},
            )
            cursor.execute("INSERT INTO attributed SELECT start, signature::VARCHAR FROM spend_signature")
            cursor.unregister("spend_signature")
