"""Builds the response to a usage or costs request: filters and groups rows, and writes the API's JSON."""

import json
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from usage_viewer.demo.api.cursor import make_cursor
from usage_viewer.demo.api.query import Query
from usage_viewer.demo.world.bill import decimal128_text, decimal_text
from usage_viewer.demo.world.catalog import CACHE_WRITES_SINCE, DETAIL_SINCE, day
from usage_viewer.demo.world.cost_combinations import has_quantity
from usage_viewer.demo.world.organization import SyntheticOrganization, Usage
from usage_viewer.demo.world.recipes import available_since
from usage_viewer.demo.world.rows import UsageRows, sum_rows
from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import DATASETS, Dataset, Dimension

_STRINGS_SINCE = day("2026-05-18")
"""From this day on, every second amount of costs is a string of 34 digits instead of a number.

Source: answers of the API since May 2026.
"""


_COST_NAMES = [dimension.name for dimension in DATASETS["costs"].dimensions]
_CURRENCY, _UNIT = _COST_NAMES.index("currency"), _COST_NAMES.index("quantity_unit")


def usage_page(organization: SyntheticOrganization, query: Query, now: int) -> bytes:
    """Return one page of usage or costs as JSON; `now` is in epoch seconds."""
    end = query.page_end
    usage = organization.usage(query.dataset.name, query.start, end, query.width, now)
    groups, group_of_combination = _groups(usage.combinations, query)
    rows = _group_rows(usage.rows, group_of_combination, len(groups))
    buckets = _buckets(usage, query, rows, groups)
    # The last page reaches the end of the range, or the first bucket that has not begun yet.
    has_more = end < query.end and end <= now
    cursor = json.dumps(make_cursor(end, query.parameters)) if has_more else "null"
    flag = "true" if has_more else "false"
    return f'{{"object":"page","data":[{",".join(buckets)}],"has_more":{flag},"next_page":{cursor}}}'.encode()


def _groups(combinations: Sequence[Combination], query: Query) -> tuple[list[Combination], list[int]]:
    """Return the values of each group, and for each combination the number of its group.

    A dimension that is not grouped by is None. A combination that a filter excludes has the group number -1.
    """
    dimensions = query.dataset.dimensions
    returned = [_is_returned(dimension, query) for dimension in dimensions]
    filters = [query.filters.get(dimension.name) for dimension in dimensions]
    numbers: dict[Combination, int] = {}
    group_numbers: list[int] = []
    for values in combinations:
        if any(
            allowed is not None and value not in allowed for value, allowed in zip(values, filters, strict=True)
        ):
            group_numbers.append(-1)
            continue
        group = tuple(value if show else None for value, show in zip(values, returned, strict=True))
        group_numbers.append(numbers.setdefault(group, len(numbers)))
    return list(numbers), group_numbers


def _is_returned(dimension: Dimension, query: Query) -> bool:
    if dimension.name == "quantity_unit":
        return "line_item" in query.group_by
    return dimension.name in query.group_by or not dimension.requested


def _group_rows(rows: UsageRows, group_of_combination: list[int], count: int) -> UsageRows:
    """Sum the rows of each bucket and group; `combination` of the result is the group number."""
    if not len(rows):
        return rows
    group = np.array(group_of_combination, np.int64)[rows.combination]
    if group.min() < 0:
        rows, group = rows.take(group >= 0), group[group >= 0]
    return sum_rows(rows, rows.at, group, count)


def _buckets(usage: Usage, query: Query, rows: UsageRows, groups: list[Combination]) -> list[str]:
    edges = np.searchsorted(rows.at, np.arange(len(usage.starts) + 1)).tolist()
    write = _write_costs if query.dataset.name == "costs" else _write_usage
    buckets: list[str] = []
    spans = zip(usage.starts.tolist(), usage.ends.tolist(), edges, edges[1:], strict=False)
    for run in _runs_of_one_format(list(spans)):
        first, last = run[0][2], run[-1][3]
        lines = write(query, rows.take(slice(first, last)), groups, run[0][0])
        for start, end, first_row, end_row in run:
            results = ",".join(lines[first_row - first : end_row - first])
            buckets.append(f'{{"object":"bucket","start_time":{start},"end_time":{end},"results":[{results}]}}')
    return buckets


_Span = tuple[int, int, int, int]  # a bucket: start and end (epoch seconds), first row and end row


def _runs_of_one_format(spans: list[_Span]) -> list[list[_Span]]:
    """Divide the buckets into lists of the same response format."""
    changes = (DETAIL_SINCE, CACHE_WRITES_SINCE, _STRINGS_SINCE)
    return [list(run) for _, run in groupby(spans, lambda span: sum(moment <= span[0] for moment in changes))]


def _write_usage(query: Query, rows: UsageRows, groups: list[Combination], start: int) -> list[str]:
    dataset = query.dataset
    since = available_since(dataset)
    present = [name for name in rows.metrics if since.get(name, 0) <= start]
    # Before `DETAIL_SINCE`, metrics without values are absent; after it, they are null.
    null = [name for name in rows.metrics if name not in present] if start >= DETAIL_SINCE else []
    fields = "".join(f',"{name}":%d' for name in present) + "".join(f',"{name}":null' for name in null)
    template = f'{{"object":"{dataset.object}",%s{fields}}}'
    texts = [_dimensions_text(dataset, values) for values in groups]
    columns = [rows.metrics[name].tolist() for name in present]
    group_texts = [texts[group] for group in rows.combination.tolist()]
    return [template % row for row in zip(group_texts, *columns, strict=True)]


def _write_costs(query: Query, rows: UsageRows, groups: list[Combination], start: int) -> list[str]:
    texts = [_dimensions_text(query.dataset, values) for values in groups]
    currencies = [json.dumps(values[_CURRENCY]) for values in groups]
    is_counted = [has_quantity(values) if "line_item" in query.group_by else False for values in groups]
    units = [json.dumps(values[_UNIT]) for values in groups]
    lines: list[str] = []
    columns = (rows.combination.tolist(), rows.metrics["amount"].tolist(), rows.metrics["quantity"].tolist())
    for number, (group, amount, quantity) in enumerate(zip(*columns, strict=True)):
        if start >= _STRINGS_SINCE and number % 2 == 0:
            value = f'"{decimal128_text("amount", amount)}"'
        else:
            value = decimal_text("amount", amount)
        quantity_text = decimal_text("quantity", quantity) if is_counted[group] else "null"
        lines.append(
            f'{{"object":"{query.dataset.object}","amount":{{"value":{value},"currency":{currencies[group]}}},'
            f'{texts[group]},"quantity":{quantity_text},"quantity_unit":{units[group]}}}'
        )
    return lines


def _dimensions_text(dataset: Dataset, values: Combination) -> str:
    return ",".join(
        f'"{dimension.name}":{value if dimension.boolean and value is not None else json.dumps(value)}'
        for dimension, value in zip(dataset.dimensions, values, strict=True)
        if dimension.requested
    )
