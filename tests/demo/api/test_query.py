"""Tests parsing and checking of request parameters."""

import pytest

from usage_viewer.demo.api.query import Query, parse_query
from usage_viewer.demo.api.refusal import GroupingRule, Refusal, RefusedGroupings
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.period import BucketWidth

NOW = 1_795_437_245
START = 1_795_219_200


def _read(name: str = "completions", /, **parameters: object) -> Query:
    texts = {
        key: [str(item) for item in value] if isinstance(value, list) else [str(value)]
        for key, value in {"start_time": START, **parameters}.items()
        if value is not None
    }
    return parse_query(API_DATASETS[name], texts, NOW)


def _refused(name: str = "completions", /, **parameters: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        _read(name, **parameters)
    assert caught.value.status == 400
    return caught.value


def test_defaults() -> None:
    query = _read()
    assert (query.width, query.limit, query.start) == (BucketWidth.DAY, 7, START)
    assert query.end == NOW // 86400 * 86400 + 86400
    assert query.group_by == frozenset()


@pytest.mark.parametrize(
    ("name", "width", "default", "maximum"),
    [
        ("completions", "1m", 60, 1440),
        ("completions", "1h", 24, 168),
        ("completions", "1d", 7, 31),
        ("web_search_calls", "1h", 24, 168),
        ("costs", "1d", 7, 180),
    ],
)
def test_limits_by_width(name: str, width: str, default: int, maximum: int) -> None:
    assert _read(name, bucket_width=width).limit == default
    assert _read(name, bucket_width=width, limit=maximum).limit == maximum
    assert _refused(name, bucket_width=width, limit=maximum + 1).error["param"] == "limit"
    assert _refused(name, bucket_width=width, limit=0).error["param"] == "limit"


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("start_time", None),
        ("start_time", "yesterday"),
        ("start_time", -1),
        ("start_time", "1e9"),
        ("start_time", [START, START]),
        ("end_time", START),
        ("end_time", START - 1),
        ("end_time", 10**30),
        ("bucket_width", "1w"),
        ("group_by[1]", ["model", "nonsense"]),
        ("group_by[0]", ["line_item"]),
        ("batch", "maybe"),
        ("line_items", "x"),
        ("nonsense", "1"),
        ("page", "page_nonsense"),
    ],
)
def test_invalid_parameter_is_a_400_that_names_it(param: str, value: object) -> None:
    refusal = _refused(**{param.partition("[")[0]: value})
    assert refusal.error["param"] == param
    assert set(refusal.error) == {"message", "type", "param", "code"}


def test_costs_are_available_by_day_only() -> None:
    assert _refused("costs", bucket_width="1h").error["param"] == "bucket_width"


def test_filters_and_grouping_are_parsed() -> None:
    query = _read(models=["a", "b"], batch="True", group_by=["model", "batch"])
    assert query.filters == {"model": {"a", "b"}, "batch": {"true"}}
    assert query.group_by == {"model", "batch"}


def test_refused_dimension_is_treated_as_unknown() -> None:
    with pytest.raises(Refusal) as caught:
        parse_query(
            API_DATASETS["completions"],
            {"start_time": ["0"], "group_by": ["model", "api_source"]},
            NOW,
            RefusedGroupings.of("api_source"),
        )
    assert caught.value.error["param"] == "group_by[1]"
    assert "'api_source'." not in str(caught.value).split("Supported")[1]


def test_pair_is_refused_only_together() -> None:
    refused = RefusedGroupings.of(pairs=[("user_id", "project_id")])
    for group_by in (["user_id"], ["project_id", "line_item"]):
        parse_query(API_DATASETS["costs"], {"start_time": ["0"], "group_by": group_by}, NOW, refused)
    with pytest.raises(Refusal) as caught:
        parse_query(
            API_DATASETS["costs"],
            {"start_time": ["0"], "group_by": ["user_id", "line_item", "project_id"]},
            NOW,
            refused,
        )
    assert caught.value.error["param"] == "group_by"


@pytest.mark.parametrize(
    ("rule", "group_by", "start", "param"),
    [
        ("costs:user_id+*", ("user_id",), 0, None),
        ("costs:user_id+*", ("user_id", "line_item"), 0, "group_by"),
        ("costs:api_key_id<1970-01-02", ("api_key_id",), 86399, "start_time"),
        ("costs:api_key_id<1970-01-02", ("api_key_id",), 86400, None),
        ("user_id+project_id", ("project_id", "line_item", "user_id"), 0, "group_by"),
        ("completions:user_id", ("user_id",), 0, None),
    ],
)
def test_rules_refuse_combinations_and_ranges(
    rule: str, group_by: tuple[str, ...], start: int, param: str | None
) -> None:
    parameters = {"start_time": [str(start)], "group_by": group_by}
    refused = RefusedGroupings.of(rules=[rule])
    if param is None:
        parse_query(API_DATASETS["costs"], parameters, NOW, refused)
    else:
        with pytest.raises(Refusal) as caught:
            parse_query(API_DATASETS["costs"], parameters, NOW, refused)
        assert caught.value.error["param"] == param


@pytest.mark.parametrize("text", ["", "costs:", "user_id+", "user_id<soon", "a b"])
def test_other_rules_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not DATASET|Invalid isoformat"):
        GroupingRule.parse(text)
