"""Defines the files of a snapshot, their columns, and the type and meaning of each column.

`<dataset>.parquet`   a row for each bucket and combination of dimensions with usage. Buckets of several widths may
                      contain the same usage: choose one `bucket_width` before adding up.
`<dataset>@<dimensions>.parquet`  the same buckets, or others, in a further grain: with these dimensions only
`held.parquet`        every stored whole bucket, also those without usage
`names.parquet`       the names of the ids that occur
`differences.parquet` the sums of buckets that differed from the server's totals when they were compared

Times are TIMESTAMP in UTC, counts BIGINT, money and quantities DECIMAL, everything else VARCHAR.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from usage_viewer.domain.catalog import Dataset, Kind
from usage_viewer.store.engine.schema import DECIMAL

HELD_FILE = "held.parquet"
NAMES_FILE = "names.parquet"
DIFFERENCES_FILE = "differences.parquet"


@dataclass(frozen=True, slots=True)
class SnapshotColumn:
    """The SQL type of a column and its description for the reader of the file."""

    kind: str
    meaning: str


HELD_COLUMNS: Mapping[str, SnapshotColumn] = {
    "dataset": SnapshotColumn("VARCHAR", "Which dataset."),
    "bucket_width": SnapshotColumn("VARCHAR", "1d, 1h or 1m."),
    "bucket_start": SnapshotColumn("TIMESTAMP", "Start of the bucket, UTC."),
    "fetched_at": SnapshotColumn("TIMESTAMP", "When it was fetched, UTC."),
    "grouped": SnapshotColumn("VARCHAR", "The dimensions of the request, separated by commas."),
    "compared_at": SnapshotColumn(
        "TIMESTAMP", "When its sums were compared with the server's totals, UTC. Null: never."
    ),
    "grew": SnapshotColumn("BOOLEAN", "Whether it grew during the comparison. Null: not compared."),
}

DIFFERENCE_COLUMNS: Mapping[str, SnapshotColumn] = {
    "dataset": SnapshotColumn("VARCHAR", "Which dataset."),
    "bucket_width": SnapshotColumn("VARCHAR", "1d, 1h or 1m."),
    "bucket_start": SnapshotColumn("TIMESTAMP", "Start of the bucket, UTC."),
    "metric": SnapshotColumn("VARCHAR", "Which column of the dataset."),
    "unit": SnapshotColumn("VARCHAR", "The unit of money and quantities."),
    "local_value": SnapshotColumn("VARCHAR", "The sum of the rows in the snapshot, in digits."),
    "server_value": SnapshotColumn("VARCHAR", "The server's total, in digits."),
}

NAME_COLUMNS: Mapping[str, SnapshotColumn] = {
    "kind": SnapshotColumn("VARCHAR", "What is named: a project, a user, an API key."),
    "id": SnapshotColumn("VARCHAR", "The id, as in the columns of the datasets."),
    "name": SnapshotColumn("VARCHAR", "The name."),
    "last_seen": SnapshotColumn("TIMESTAMP", "When a list of the organization last contained it, UTC."),
    "deleted": SnapshotColumn("BOOLEAN", "Whether the organization's lists no longer contain it."),
    "last_used": SnapshotColumn("TIMESTAMP", "When the key was last used, UTC. 1970: never. Null: not known."),
}


def dataset_file(dataset: Dataset) -> str:
    """Return the name of a dataset's file."""
    return f"{dataset.name}.parquet"


def dataset_columns(dataset: Dataset) -> dict[str, SnapshotColumn]:
    """Return the columns of a dataset's file, in their order."""
    columns = {
        "bucket_start": SnapshotColumn("TIMESTAMP", "Start of the bucket, UTC."),
        "bucket_width": SnapshotColumn("VARCHAR", "1d, 1h or 1m. Add up rows of one width only."),
        "fetched_at": SnapshotColumn("TIMESTAMP", "When the bucket was fetched, UTC."),
    }
    for dimension in dataset.dimensions:
        what = f"{dimension.label}{': true or false' if dimension.boolean else ''}. Null: none."
        columns[dimension.name] = SnapshotColumn("VARCHAR", what)
        if dimension.names:
            columns[name_column(dimension.name)] = SnapshotColumn(
                "VARCHAR", f"{dimension.label}: its name, if it has one."
            )
    for metric in dataset.metrics:
        unit = f"in the unit that {metric.unit_from} names" if metric.unit_from else metric.unit
        kind = DECIMAL if metric.kind is Kind.DECIMAL else "BIGINT"
        columns[metric.name] = SnapshotColumn(kind, f"{metric.label}: {unit}. {metric.help} Null: missing.")
    columns["extra"] = SnapshotColumn("VARCHAR", "Fields unknown to the program that saved this, as a JSON object.")
    return columns


def name_column(dimension: str) -> str:
    """Return the name of the column with the names of a dimension's ids."""
    return f"{dimension}_name"
