"""Reads the rows of costs and of usage of some days as whole numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.spend import MEASURES, Measure
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.query.spend.exact_numbers import LIMIT, UNIT, ExactNumbers
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.schema import fact_table
from usage_viewer.store.spend.cell_pairs import Cells


@dataclass(frozen=True, slots=True)
class CostRows:
    """Rows of costs, (n,): `cell` is the position of a combination in `cells`."""

    cells: Cells
    bucket: NDArray[np.int64]
    cell: NDArray[np.intp]
    amount: ExactNumbers
    quantity: ExactNumbers

    def of_cells(self, kept: NDArray[np.bool_]) -> "CostRows":
        """Return the rows of those cells that are `kept`."""
        if kept.all():
            return self
        chosen = kept[self.cell]
        return CostRows(
            self.cells, self.bucket[chosen], self.cell[chosen], self.amount[chosen], self.quantity[chosen]
        )


@dataclass(frozen=True, slots=True)
class UsageRows:
    """Rows of usage, (n,): `cell` is the position of a combination in `cells`, `used` an array for each measure."""

    cells: Cells
    bucket: NDArray[np.int64]
    cell: NDArray[np.intp]
    used: Sequence[NDArray[np.int64]]


def read_costs(cursor: Connection, index: DimensionIndex, dataset: Dataset, starts: NDArray[np.int64]) -> CostRows:
    """Read the rows of costs of the days `starts`, one for each combination. Raises StoreError."""
    columns = [*_whole_numbers("amount"), *_whole_numbers("quantity")]
    rows = _read(cursor, dataset, starts, ["sum(amount) AS amount", "sum(quantity) AS quantity"], columns)
    cells, cell = _cells(index, rows["combination"])
    return CostRows(cells, rows["bucket"], cell, _exact(rows, "amount"), _exact(rows, "quantity"))


def read_usage(
    cursor: Connection,
    index: DimensionIndex,
    dataset: Dataset,
    measures: Sequence[str],
    starts: NDArray[np.int64],
) -> UsageRows:
    """Read how much of each measure the days `starts` have, one row for each combination. Raises StoreError."""
    if not measures:
        nothing = np.empty(0, np.int64)
        return UsageRows(Cells(index, nothing), nothing, nothing, ())
    sums = [f"least(sum({measure_sql(MEASURES[name])}), {LIMIT})::BIGINT AS {name}" for name in measures]
    rows = _read(cursor, dataset, starts, sums, measures)
    cells, cell = _cells(index, rows["combination"])
    return UsageRows(cells, rows["bucket"], cell, [rows[name] for name in measures])


def measure_sql(measure: Measure) -> str:
    """Return the SQL of a measure of one row of usage."""
    terms = [f"+ coalesce({quoted(name)}, 0)" for name in measure.plus]
    terms += [f"- coalesce({quoted(name)}, 0)" for name in measure.minus]
    computed = f"greatest(0, 0 {' '.join(terms)})"
    return f"coalesce({quoted(measure.given)}, {computed})" if measure.given else computed


def _read(
    cursor: Connection, dataset: Dataset, starts: NDArray[np.int64], sums: Sequence[str], columns: Sequence[str]
) -> dict[str, Any]:
    days = np.unique(starts)
    cursor.register("spend_days", {"start": days})
    try:
        return cursor.execute(
            f"SELECT bucket, combination, {', '.join(columns)} FROM (SELECT bucket, combination, {', '.join(sums)}"
            f" FROM {quoted(fact_table(dataset, BucketWidth.DAY))} WHERE bucket BETWEEN ? AND ?"
            " AND bucket IN (SELECT start FROM spend_days) GROUP BY ALL)",
            [int(days[0]), int(days[-1])],
        ).fetchnumpy()
    finally:
        cursor.unregister("spend_days")


def _whole_numbers(column: str) -> list[str]:
    """Return the SQL of a decimal as whole, units and tail, and whether it is known (see `ExactNumbers`)."""
    # Casts of decimals to fewer digits divide twice; `trunc` divides once.
    units = f"({column} - trunc({column}))::DECIMAL(25, 24) * {UNIT}::DECIMAL(13, 0)"
    tail = f"({units} - trunc({units}))::DECIMAL(25, 24) * {UNIT}::DECIMAL(13, 0)"
    parts = {"whole": f"trunc({column})", "units": f"trunc({units})", "tail": f"trunc({tail})"}
    columns = [f"coalesce({sql}, 0)::BIGINT AS {column}_{name}" for name, sql in parts.items()]
    return [*columns, f"{column} IS NOT NULL AS {column}_known"]


def _exact(rows: dict[str, Any], column: str) -> ExactNumbers:
    return ExactNumbers(*(rows[f"{column}_{name}"] for name in ExactNumbers.__slots__))


def _cells(index: DimensionIndex, combination: NDArray[np.int32]) -> tuple[Cells, NDArray[np.intp]]:
    """Return the combinations that occur, and the position of each in them."""
    size = int(combination.max(initial=-1)) + 1
    occurs = np.zeros(size, np.bool_)
    occurs[combination] = True
    return Cells(index, np.flatnonzero(occurs)), (np.cumsum(occurs) - 1)[combination]
