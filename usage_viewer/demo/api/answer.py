"""A usage request's answer: rows filtered, grouped and written as the API's JSON."""

import json
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from usage_viewer.demo.api.cursor import make_cursor
from usage_viewer.demo.api.query import Query
from usage_viewer.demo.world.bill import decimal_text
from usage_viewer.demo.world.catalog import CACHE_WRITES_SINCE, DETAIL_SINCE, day
from usage_viewer.demo.world.organization import SyntheticOrganization, Usage
from usage_viewer.demo.world.recipes import missing_before
from usage_viewer.demo.world.rows import UsageRows, summed
from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import Dataset, Dimension

_STRINGS_SINCE = day("2026-05-18")
"""Since this day every second amount of money is a string instead of a number."""


def answer(organization: SyntheticOrganization, query: Query, now: int) -> bytes:
    """One page, as JSON."""
    end = query.first_page_end
    usage = organization.usage(query.dataset.name, query.start, end, query.width, now)
    groups, of_combination = _groups(usage.combinations, query)
    rows = _grouped(usage.rows, of_combination, len(groups))
    buckets = _buckets(usage, query, rows, groups)
    # A page that reaches the range's end, or a bucket that has not begun, is the last one.
    more = end < query.end and end <= now
    cursor = json.dumps(make_cursor(end, query.parameters)) if more else "null"
    flag = "true" if more else "false"
    return f'{{"object":"page","data":[{",".join(buckets)}],"has_more":{flag},"next_page":{cursor}}}'.encode()


def _groups(combinations: Sequence[Combination], query: Query) -> tuple[list[Combination], list[int]]:
    """The groups' values (None for a dimension that is not grouped by), and each combination's group; -1: filtered
    out.
    """
    dimensions = query.dataset.dimensions
    kept = [_kept(dimension, query) for dimension in dimensions]
    wanted = [query.filters.get(dimension.name) for dimension in dimensions]
    numbers: dict[Combination, int] = {}
    found: list[int] = []
    for values in combinations:
        if any(some is not None and value not in some for value, some in zip(values, wanted, strict=True)):
            found.append(-1)
            continue
        group = tuple(value if keep else None for value, keep in zip(values, kept, strict=True))
        found.append(numbers.setdefault(group, len(numbers)))
    return list(numbers), found


def _kept(dimension: Dimension, query: Query) -> bool:
    if dimension.name == "quantity_unit":
        return "line_item" in query.group_by
    return dimension.name in query.group_by or not dimension.requested


def _grouped(rows: UsageRows, of_combination: list[int], count: int) -> UsageRows:
    """`combination` becomes the group."""
    if not len(rows):
        return rows
    group = np.array(of_combination, np.int64)[rows.combination]
    if group.min() < 0:
        rows, group = rows.take(group >= 0), group[group >= 0]
    return summed(rows, rows.at, group, count)


def _buckets(usage: Usage, query: Query, rows: UsageRows, groups: list[Combination]) -> list[str]:
    edges = np.searchsorted(rows.at, np.arange(len(usage.starts) + 1)).tolist()
    write = _write_costs if query.dataset.name == "costs" else _write_usage
    written: list[str] = []
    spans = zip(usage.starts.tolist(), usage.ends.tolist(), edges, edges[1:], strict=False)
    for era in _eras(list(spans)):
        first, last = era[0][2], era[-1][3]
        lines = write(query, rows.take(slice(first, last)), groups, era[0][0])
        for start, end, a, b in era:
            results = ",".join(lines[a - first : b - first])
            written.append(f'{{"object":"bucket","start_time":{start},"end_time":{end},"results":[{results}]}}')
    return written


_Span = tuple[int, int, int, int]  # a bucket's start and end, and its rows


def _eras(spans: list[_Span]) -> list[list[_Span]]:
    """The buckets, cut where the form of the answers changed."""
    changes = (DETAIL_SINCE, CACHE_WRITES_SINCE, _STRINGS_SINCE)
    return [list(era) for _, era in groupby(spans, lambda span: sum(moment <= span[0] for moment in changes))]


def _write_usage(query: Query, rows: UsageRows, groups: list[Combination], start: int) -> list[str]:
    dataset = query.dataset
    since = missing_before(dataset)
    given = [name for name in rows.metrics if since.get(name, 0) <= start]
    # Fields that had not been thought of are absent; what was known and not yet counted is null.
    null = [name for name in rows.metrics if name not in given] if start >= DETAIL_SINCE else []
    fields = "".join(f',"{name}":%d' for name in given) + "".join(f',"{name}":null' for name in null)
    template = f'{{"object":"{dataset.object}",%s{fields}}}'
    texts = [_dimensions_text(dataset, values) for values in groups]
    columns = [rows.metrics[name].tolist() for name in given]
    named = [texts[group] for group in rows.combination.tolist()]
    return [template % row for row in zip(named, *columns, strict=True)]


def _write_costs(query: Query, rows: UsageRows, groups: list[Combination], start: int) -> list[str]:
    texts = [_dimensions_text(query.dataset, values) for values in groups]
    with_quantity = "line_item" in query.group_by
    units = [values[-1] for values in groups]
    lines: list[str] = []
    columns = (rows.combination.tolist(), rows.metrics["amount"].tolist(), rows.metrics["quantity"].tolist())
    for number, (group, amount, quantity) in enumerate(zip(*columns, strict=True)):
        value = decimal_text("amount", amount)
        if start >= _STRINGS_SINCE and number % 2 == 0:
            value = f'"{value}"'
        counted = decimal_text("quantity", quantity) if with_quantity and units[group] is not None else "null"
        lines.append(
            f'{{"object":"{query.dataset.object}","amount":{{"value":{value},"currency":"usd"}},{texts[group]},'
            f'"quantity":{counted},"quantity_unit":{json.dumps(units[group])}}}'
        )
    return lines


def _dimensions_text(dataset: Dataset, values: Combination) -> str:
    return ",".join(
        f'"{dimension.name}":{value if dimension.boolean and value is not None else json.dumps(value)}'
        for dimension, value in zip(dataset.dimensions, values, strict=True)
        if dimension.requested
    )
