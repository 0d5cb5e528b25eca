"""What a column says of itself: its unit, how it adds up, how it is computed."""

from usage_viewer.domain.catalog import Aggregation, Dataset, Derived, Figure, Kind, OverTime, Statistic
from usage_viewer.domain.table import Column, FigureColumn, PeriodColumn
from usage_viewer.domain.zones import zone_name

_ADDED = {
    Aggregation.SUM: "Summed over everything that a row is about.",
    Aggregation.LEVEL: "A level: the last value of the period, summed over everything else that a row is about.",
}
_OVER_TIME = {
    Statistic.MEAN: "A level: its mean over the period, of the sum over everything else that a row is about.",
    Statistic.PEAK: "A level: its peak in the period, of the sum over everything else that a row is about.",
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


def definition(name: str, dataset: Dataset) -> Figure | None:
    """None for a figure that the dataset doesn't know."""
    return dataset.column(name) if dataset.has_column(name) else None


def header_tip(column: Column, dataset: Dataset) -> str:
    """Lines of plain text."""
    if isinstance(column, PeriodColumn):
        zone = zone_name(column.periods.zone, int(column.periods.bounds[0]))
        return f"{column.label}\nOne row for each {column.periods.per} in {zone}."
    if not isinstance(column, FigureColumn):
        return f"{column.label}\nOne row for each value."
    unit = "" if column.kind is Kind.SHARE or column.measure or not column.unit else f" ({column.unit})"
    lines = [f"{column.label}{unit}"]
    if column.help:
        lines.append(column.help)
    item = definition(column.name, dataset)
    if isinstance(item, Derived):
        lines.append(f"{formula(item, dataset)}, computed from the sums of each row.")
    elif isinstance(item, OverTime):
        lines.append(_OVER_TIME[item.statistic])
    elif item is not None:
        lines.append(_ADDED[item.aggregation])
    if column.unit_from:
        unit = dataset.dimension(column.unit_from).label
        lines.append(f"In more than one unit, which are never added: see {unit}.")
    return "\n".join(lines)
