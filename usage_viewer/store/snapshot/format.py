"""The plain tables of a snapshot: their files and columns, what each column means, and the kind it is kept in.

`<dataset>.parquet`   a row for each bucket and combination of dimensions with usage. The same usage may be there
                      in buckets of several widths: choose one `bucket_width` before adding up.
`held.parquet`        every bucket that is held whole, also those without usage
`names.parquet`       the names of the ids that occur

Times are TIMESTAMP in UTC, counts BIGINT, money and quantities DECIMAL, everything else VARCHAR.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from usage_viewer.domain.catalog import Dataset, Kind
from usage_viewer.store.engine.schema import DECIMAL

HELD_FILE = "held.parquet"
NAMES_FILE = "names.parquet"


@dataclass(frozen=True, slots=True)
class PlainColumn:
    kind: str
    meaning: str


HELD_COLUMNS: Mapping[str, PlainColumn] = {
    "dataset": PlainColumn("VARCHAR", "Which dataset."),
    "bucket_width": PlainColumn("VARCHAR", "1d, 1h or 1m."),
    "bucket_start": PlainColumn("TIMESTAMP", "Start of the bucket, UTC."),
    "fetched_at": PlainColumn("TIMESTAMP", "When it was fetched, UTC."),
    "grouped": PlainColumn("VARCHAR", "The dimensions that were asked for, with commas between."),
}

NAME_COLUMNS: Mapping[str, PlainColumn] = {
    "kind": PlainColumn("VARCHAR", "What is named: a project, a user, an API key."),
    "id": PlainColumn("VARCHAR", "The id, as in the columns of the datasets."),
    "name": PlainColumn("VARCHAR", "The name."),
    "last_seen": PlainColumn("TIMESTAMP", "When a list of the organization last held it, UTC."),
    "deleted": PlainColumn("BOOLEAN", "Whether it is gone from the organization's lists."),
}


def file_of(dataset: Dataset) -> str:
    return f"{dataset.name}.parquet"


def columns_of(dataset: Dataset) -> dict[str, PlainColumn]:
    """The columns of a dataset's file, in their order."""
    columns = {
        "bucket_start": PlainColumn("TIMESTAMP", "Start of the bucket, UTC."),
        "bucket_width": PlainColumn("VARCHAR", "1d, 1h or 1m. Add up rows of one width only."),
        "fetched_at": PlainColumn("TIMESTAMP", "When the bucket was fetched, UTC."),
    }
    for dimension in dataset.dimensions:
        what = f"{dimension.label}{': true or false' if dimension.boolean else ''}. Null: none."
        columns[dimension.name] = PlainColumn("VARCHAR", what)
        if dimension.names:
            columns[name_column(dimension.name)] = PlainColumn("VARCHAR", f"{dimension.label}: its name, if known.")
    for metric in dataset.metrics:
        unit = f"in the unit that {metric.unit_from} names" if metric.unit_from else metric.unit
        kind = DECIMAL if metric.kind is Kind.DECIMAL else "BIGINT"
        columns[metric.name] = PlainColumn(kind, f"{metric.label}: {unit}. {metric.help} Null: not given.")
    columns["extra"] = PlainColumn("VARCHAR", "Fields that the program did not know, as a JSON object.")
    return columns


def name_column(dimension: str) -> str:
    return f"{dimension}_name"
