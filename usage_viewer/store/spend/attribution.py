"""Splits the costs of some days over the usage of these days, in SQL.

Each row of costs is split by largest remainder in units of 10^-12 of its currency: its parts add up to the row,
and the order of rows can't matter. What is smaller than a unit goes with the first part. A row without usage is a
part of its own, with the reason. The rows of one day need no other day.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.grain import dataset_name
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.spend import MEASURES, Factor, LineMeaning, Measure, Reason, UsageClass
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.schema import combination_table, fact_table
from usage_viewer.store.spend.shares import split_rows, tail_of, whole_units

MATCHED = ("project_id", "user_id", "api_key_id", "api_source")
"""The dimensions in which a row of costs and the usage that it bills are equal, as far as the row has them."""

_MOST_FACTOR = 10**6  # larger numerators of factors are rounded, so that weights fit 128 bits


@dataclass(frozen=True, slots=True)
class ServiceUsage:
    """The usage of one dataset: how it is stored, and the dimensions that its rows were grouped by."""

    dataset: Dataset
    grain: frozenset[str]

    @property
    def service(self) -> str:
        """The name of the dataset, of which this may be a further grain."""
        return dataset_name(self.dataset.name)


@dataclass(frozen=True, slots=True)
class DayCosts:
    """What to attribute: the costs of the days `starts` (epoch seconds, (n,)), all stored in the same grains.

    `costs` is how they are stored, `grain` the dimensions that their rows were grouped by. `meanings` are those of
    every line item in them ("": none). `factors` are the relative prices of classes of usage, by line item and
    unit; a class that is missing has the price of ordinary usage.
    """

    starts: NDArray[np.int64]
    costs: Dataset
    grain: frozenset[str]
    usage: Sequence[ServiceUsage]
    meanings: Sequence[LineMeaning]
    factors: Mapping[tuple[str, str | None], Mapping[UsageClass, Factor]]


def attribute(cursor: Connection, days: DayCosts) -> None:
    """Make the temporary table `spend_part` (see `shares.PART_TABLE`) with the parts of each row of costs.

    Raises StoreError.
    """
    with _steps(cursor, days):
        split_rows(cursor)


def usage_of_rows(cursor: Connection, days: DayCosts) -> list[tuple[int, int, int, int, str, str | None, int]]:
    """Return how much usage of each class every row of costs bills.

    A tuple has the line (a number in `days.meanings`), the row, the day (epoch seconds), the amount in 10^-12 of
    the currency, "true" for a batch, the service tier, and the usage. Raises StoreError.
    """
    found = list[tuple[int, int, int, int, str, str | None, int]]()
    with _steps(cursor, days):
        for number, usage in enumerate(days.usage):
            if usage.dataset.has_dimension("batch"):
                found += cursor.execute(
                    "SELECT cost.line, cost.row_id, cost.bucket,"
                    " CASE WHEN cost.amount < 0 THEN -cost.units ELSE cost.units END,"
                    " coalesce(cell.batch, 'false') AS batch, cell.service_tier, sum(usage.used)"
                    " FROM spend_usage AS usage JOIN spend_pair AS pair ON usage.service = pair.service"
                    " AND usage.measure = pair.measure AND usage.usage = pair.usage"
                    " JOIN spend_cost AS cost ON usage.bucket = cost.bucket AND pair.cost = cost.cost"
                    f" JOIN {quoted(combination_table(usage.dataset))} AS cell ON cell.id = usage.usage"
                    f" WHERE usage.service = {number} GROUP BY ALL ORDER BY ALL"
                ).fetchall()
    return found


@contextmanager
def _steps(cursor: Connection, days: DayCosts) -> Iterator[None]:
    """Make the temporary tables `spend_cost`, `spend_cell`, `spend_pair` and `spend_usage` for the context."""
    _register_lines(cursor, days)
    cursor.register("spend_days", {"start": np.unique(days.starts)})
    try:
        _make_costs(cursor, days)
        _make_pairs(cursor, days)
        _make_usage(cursor, days)
        yield
    finally:
        with suppress(duckdb.Error):  # after an error, the transaction accepts no statement
            for table in ("spend_cost", "spend_cell", "spend_pair", "spend_usage"):
                cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.unregister("spend_days")
        cursor.unregister("spend_line")


def matched_dimensions(days: DayCosts, usage: ServiceUsage) -> tuple[str, ...] | None:
    """Return the dimensions in which costs and usage have to be equal; None if the usage lacks one of them.

    Then a row of costs bills an unknown part of the usage, and can't be split over it.
    """
    needed = tuple(name for name in MATCHED if name in days.grain)
    return needed if set(needed) <= usage.grain else None


def _register_lines(cursor: Connection, days: DayCosts) -> None:
    """Register `spend_line`: text, unit and service of each line item, and the reason if its rows have no parts."""
    numbers = {item.service: number for number, item in enumerate(days.usage)}
    can_split = {number: matched_dimensions(days, item) is not None for number, item in enumerate(days.usage)}
    texts, units, services, reasons = list[str](), list[str | None](), list[int](), list[str | None]()
    for meaning in days.meanings:
        service = -1 if meaning.target is None else numbers.get(meaning.target.service, -1)
        reason: Reason | None = Reason.USAGE_MISSING
        if meaning.target is None:
            reason = meaning.reason or Reason.UNRECOGNISED
        elif not can_split.get(service, True):
            reason = None  # the usage is there, but its rows can't be told apart as those of the costs are
        texts.append(meaning.text)
        units.append(meaning.unit)
        services.append(service)
        reasons.append(None if reason is None else reason.value)
    cursor.register(
        "spend_line",
        {
            "line": np.arange(len(texts), dtype=np.int32),
            "service": np.array(services, np.int32),
            "text": _objects(texts),
            "unit": _objects(units),
            "reason": _objects(reasons),
        },
    )


def _objects(values: Sequence[str | None]) -> NDArray[Any]:
    column = np.empty(len(values), np.object_)
    column[:] = values
    return column


def _make_costs(cursor: Connection, days: DayCosts) -> None:
    """Make `spend_cell` (the line of each combination of costs) and `spend_cost` (the rows, in whole units)."""
    cells = quoted(combination_table(days.costs))
    text = "cell.line_item" if days.costs.has_dimension("line_item") else "NULL::VARCHAR"
    unit = "quantity_unit" if days.costs.has_dimension("quantity_unit") else "NULL::VARCHAR"
    cursor.execute(
        f"CREATE TEMP TABLE spend_cell AS SELECT cell.id AS cost, line.line, nullif(line.service, -1) AS service,"
        f" line.reason::VARCHAR AS reason FROM {cells} AS cell JOIN spend_line AS line"
        f" ON coalesce({text}, '') = line.text::VARCHAR"
        f" AND cell.{unit} IS NOT DISTINCT FROM line.unit::VARCHAR"
    )
    cursor.execute(
        "CREATE TEMP TABLE spend_cost AS SELECT row_number() OVER () AS row_id, bucket, cost, line, service,"
        f" reason, amount, quantity, {whole_units('amount')} AS units, {tail_of('amount')} AS tail,"
        f" {whole_units('quantity')} AS quantity_units, {tail_of('quantity')} AS quantity_tail"
        " FROM (SELECT bucket, combination AS cost, sum(amount) AS amount, sum(quantity) AS quantity"
        f" FROM {quoted(fact_table(days.costs, BucketWidth.DAY))}"
        " WHERE bucket IN (SELECT start FROM spend_days) GROUP BY ALL) JOIN spend_cell USING (cost)"
    )


def _make_pairs(cursor: Connection, days: DayCosts) -> None:
    """Make `spend_pair`: the combinations of usage that each combination of costs bills, with their factors."""
    cursor.execute(
        "CREATE TEMP TABLE spend_pair (cost INTEGER, service INTEGER, measure VARCHAR, usage INTEGER,"
        " place INTEGER, factor BIGINT, is_assumed BOOLEAN)"
    )
    for number, usage in enumerate(days.usage):
        matched = matched_dimensions(days, usage)
        lines = [
            (line, meaning)
            for line, meaning in enumerate(days.meanings)
            if meaning.target is not None and meaning.target.service == usage.service
        ]
        if matched is not None and lines:
            _add_pairs(cursor, days, number, matched, lines)


def _add_pairs(
    cursor: Connection,
    days: DayCosts,
    number: int,
    matched: Sequence[str],
    lines: Iterable[tuple[int, LineMeaning]],
) -> None:
    usage = days.usage[number]
    cells, costs = quoted(combination_table(usage.dataset)), quoted(combination_table(days.costs))
    # The place of a combination by its values: ids depend on the order in which combinations arrived.
    order = ", ".join(f"{quoted(item.name)} NULLS FIRST" for item in usage.dataset.dimensions) or "id"
    same = " AND ".join(f"cost.{quoted(name)} IS NOT DISTINCT FROM usage.{quoted(name)}" for name in matched)
    for line, meaning in lines:
        target = meaning.target
        assert target is not None
        conditions, values = ["true"], list[object]()
        if target.model is not None and usage.dataset.has_dimension("model"):
            conditions.append("model = ?")
            values.append(target.model)
        if usage.dataset.has_dimension("service_tier"):
            if target.tier is not None:
                conditions.append("service_tier = ?")
                values.append(target.tier)
            elif target.other_tiers:
                marks = ", ".join("?" * len(target.other_tiers))
                conditions.append(f"(service_tier IS NULL OR service_tier NOT IN ({marks}))")
                values += target.other_tiers
        factor, is_assumed = _factor_sql(usage, days.factors.get((meaning.text, meaning.unit), {}))
        cursor.execute(
            f"INSERT INTO spend_pair SELECT cell.cost, {number}, '{target.measure}', usage.id, usage.place,"
            f" {factor}, {is_assumed} FROM spend_cell AS cell JOIN {costs} AS cost ON cost.id = cell.cost"
            f" JOIN (SELECT *, row_number() OVER (ORDER BY {order}) AS place FROM {cells}) AS usage"
            f" ON {same or 'true'} WHERE cell.line = ? AND {' AND '.join(conditions)}",
            [line, *values],
        )


def _factor_sql(usage: ServiceUsage, factors: Mapping[UsageClass, Factor]) -> tuple[str, str]:
    """Return the SQL of the whole-number factor of a combination of usage, and of whether it is assumed."""
    classes = {key: factor for key, factor in factors.items() if factor.value != 1 or not factor.measured}
    if not classes or not usage.dataset.has_dimension("batch"):
        return "1", "false"
    scale = lcm(*(_simple(factor.value).denominator for factor in classes.values()))
    values, assumed = "", ""
    for key, factor in classes.items():
        tier = "service_tier IS NULL" if key.tier is None else f"service_tier = {_text(key.tier)}"
        condition = f"coalesce(batch, 'false') = '{'true' if key.batch else 'false'}' AND {tier}"
        values += f" WHEN {condition} THEN {int(_simple(factor.value) * scale)}"
        assumed += f" WHEN {condition} THEN {str(not factor.measured).lower()}"
    return f"CASE{values} ELSE {scale} END", f"CASE{assumed} ELSE false END"


def _simple(value: Fraction) -> Fraction:
    return value.limit_denominator(_MOST_FACTOR)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _make_usage(cursor: Connection, days: DayCosts) -> None:
    """Make `spend_usage`: the tokens, images, seconds, … of each day and combination that some line bills."""
    cursor.execute(
        "CREATE TEMP TABLE spend_usage"
        " (bucket BIGINT, service INTEGER, measure VARCHAR, usage INTEGER, used HUGEINT)"
    )
    wanted = cursor.execute("SELECT DISTINCT service, measure FROM spend_pair ORDER BY ALL").fetchall()
    for number, name in wanted:
        table = quoted(fact_table(days.usage[number].dataset, BucketWidth.DAY))
        cursor.execute(
            f"INSERT INTO spend_usage SELECT bucket, {number}, '{name}', combination,"
            f" sum({measure_sql(MEASURES[name])}) AS used FROM {table}"
            " WHERE bucket IN (SELECT start FROM spend_days) GROUP BY ALL HAVING used > 0"
        )


def measure_sql(measure: Measure) -> str:
    """Return the SQL of a measure of one row of usage."""
    terms = [f"+ coalesce({quoted(name)}, 0)" for name in measure.plus]
    terms += [f"- coalesce({quoted(name)}, 0)" for name in measure.minus]
    computed = f"greatest(0, 0 {' '.join(terms)})"
    return f"coalesce({quoted(measure.given)}, {computed})" if measure.given else computed
