"""Parses and checks the parameters of a usage or costs request, as the API does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from usage_viewer.demo.api.cursor import parse_cursor
from usage_viewer.demo.api.refusal import NOTHING_REFUSED, RefusedGroupings, bad_parameter
from usage_viewer.domain.catalog import Dataset, Dimension
from usage_viewer.domain.period import BucketWidth

Parameters = Mapping[str, Sequence[str]]
"""The values of each parameter, by its name without the brackets of `group_by[]`."""

_SINGLE = ("start_time", "end_time", "bucket_width", "limit", "page")
_LATEST = 253_402_300_800  # the year 10000


@dataclass(frozen=True, slots=True)
class Query:
    """A checked request for one page: at most `limit` buckets from `start` to `end` (epoch seconds)."""

    dataset: Dataset
    width: BucketWidth
    start: int
    end: int
    limit: int
    group_by: frozenset[str]
    filters: Mapping[str, frozenset[str]]  # dimension -> values
    parameters: str  # all parameters but `page` as one text, which a cursor belongs to

    @property
    def page_end(self) -> int:
        """The end of the page's last bucket or of the range, whichever is first (epoch seconds)."""
        return min(self.width.floor(self.start) + self.limit * self.width.seconds, self.end)


def parse_query(
    dataset: Dataset,
    parameters: Parameters,
    now: int,
    refused: RefusedGroupings = NOTHING_REFUSED,
) -> Query:
    """Parse the parameters of a request for `dataset`; `now` is in epoch seconds.

    The single dimensions of `refused` are treated as unknown. Raises Refusal (400) for any parameter that the API
    would refuse.
    """
    filters = {dimension.filter: dimension for dimension in dataset.dimensions if dimension.filter}
    for name, values in parameters.items():
        if name not in (*_SINGLE, "group_by", *filters):
            raise bad_parameter(name, f"Unknown parameter: '{name}'.", "unknown_parameter")
        if name in _SINGLE and len(values) > 1:
            raise bad_parameter(name, f"Duplicate parameter: '{name}'.")
    start = _integer(parameters, "start_time", None, 0, _LATEST)
    width = _width(dataset, parameters)
    end = _integer(parameters, "end_time", width.ceil(max(now, start) + 1), 0, _LATEST)
    if end <= start:
        raise bad_parameter("end_time", "Invalid 'end_time': must be after 'start_time'.")
    pages = dataset.page_limits[width]
    limit = _integer(parameters, "limit", pages.default, 1, pages.maximum)
    request_text = repr(sorted((name, sorted(values)) for name, values in parameters.items() if name != "page"))
    if "page" in parameters:
        start = parse_cursor(parameters["page"][0], dataset.name + request_text)
    return Query(
        dataset,
        width,
        start,
        end,
        limit,
        _grouping(dataset, parameters, refused, start),
        {
            filters[name].name: _filter_values(filters[name], values)
            for name, values in parameters.items()
            if name in filters
        },
        dataset.name + request_text,
    )


def _integer(parameters: Parameters, name: str, default: int | None, low: int, high: int) -> int:
    if name not in parameters:
        if default is None:
            raise bad_parameter(name, f"Missing required parameter: '{name}'.", "missing_required_parameter")
        return default
    text = parameters[name][0]
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        raise bad_parameter(name, f"Invalid type for '{name}': expected an integer.", "invalid_type")
    value = int(text)
    if value < low:
        code = "integer_below_min_value"
        raise bad_parameter(name, f"Invalid '{name}': integer below minimum value. Expected >= {low}.", code)
    if value > high:
        code = "integer_above_max_value"
        raise bad_parameter(name, f"Invalid '{name}': integer above maximum value. Expected <= {high}.", code)
    return value


def _width(dataset: Dataset, parameters: Parameters) -> BucketWidth:
    text = parameters.get("bucket_width", ["1d"])[0]
    for width in dataset.widths:
        if width.value == text:
            return width
    supported = ", ".join(f"'{width.value}'" for width in dataset.widths)
    raise bad_parameter("bucket_width", f"Invalid value: '{text}'. Supported values are: {supported}.")


def _grouping(
    dataset: Dataset,
    parameters: Parameters,
    refused: RefusedGroupings,
    start: int,
) -> frozenset[str]:
    allowed = [name for name in dataset.group_by if name not in refused.dimensions]
    group_by = parameters.get("group_by", [])
    for number, name in enumerate(group_by):
        if name not in allowed:
            supported = ", ".join(f"'{name}'" for name in allowed)
            message = f"Invalid value: '{name}'. Supported values are: {supported}."
            raise bad_parameter(f"group_by[{number}]", message)
    for rule in refused.rules:
        if rule.refuses(dataset.name, group_by, start):
            raise rule.refusal()
    return frozenset(group_by)


def _filter_values(dimension: Dimension, values: Sequence[str]) -> frozenset[str]:
    if not dimension.boolean:
        return frozenset(values)
    texts = frozenset(value.lower() for value in values)
    if not texts <= {"true", "false"}:
        name = dimension.filter
        raise bad_parameter(name, f"Invalid type for '{name}': expected a boolean.", "invalid_type")
    return texts
