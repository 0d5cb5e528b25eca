"""What a column says of itself: its unit, how it adds up, how it is computed."""

from usage_viewer.domain.datasets import Aggregation, Dataset, Derived, Kind, Metric
from usage_viewer.domain.tables import Column, FigureColumn, PeriodColumn

_ADDED = {
    Aggregation.SUM: "Summed over everything that a row is about.",
    Aggregation.LEVEL: "A level: the last value of the period, summed over everything else that a row is about.",
}


def formula(item: Derived, dataset: Dataset) -> str:
    """`Cached ÷ Input`, in the labels of the columns."""
    above = [dataset.column(name).label for name in item.numerator]
    below = [dataset.column(name).label for name in item.denominator]
    numerator = " + ".join(above)
    if not below:
        return numerator
    denominator = " + ".join(below)
    return " ÷ ".join(
        f"({text})" if len(parts) > 1 else text for text, parts in ((numerator, above), (denominator, below))
    )


def definition(name: str, dataset: Dataset) -> Metric | Derived | None:
    """None for a figure that the dataset doesn't know."""
    return dataset.column(name) if dataset.has_column(name) else None


def header_tip(column: Column, dataset: Dataset) -> str:
    """Lines of plain text."""
    if isinstance(column, PeriodColumn):
        return f"Period\nOne row for each {column.periods.per}."
    if not isinstance(column, FigureColumn):
        return f"{column.label}\nOne row for each value."
    unit = "" if column.kind is Kind.SHARE or not column.unit else f" ({column.unit})"
    lines = [f"{column.label}{unit}"]
    if column.help:
        lines.append(column.help)
    item = definition(column.name, dataset)
    if isinstance(item, Derived):
        lines.append(f"{formula(item, dataset)}, computed from the sums of each row.")
    elif item is not None:
        lines.append(_ADDED[item.aggregation])
    return "\n".join(lines)
