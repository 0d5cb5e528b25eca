import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from usage_viewer.api.decode.nesting import MAX_NESTING
from usage_viewer.api.decode.page import LARGE, MAX_CURSOR, Page, decode_page
from usage_viewer.domain.catalog import API_DATASETS, COSTS, Dataset, Dimension, Metric, PageLimit
from usage_viewer.domain.names import Name
from usage_viewer.domain.network_errors import BucketError, CursorError, NotJson, WrongShape
from usage_viewer.domain.period import BucketRun, BucketWidth

COMPLETIONS = API_DATASETS["completions"]
DAY = 86400
WINDOW = BucketRun(BucketWidth.DAY, 20_000 * DAY, 20_004 * DAY)


def result(**fields: Any) -> dict[str, Any]:
    return {
        "object": COMPLETIONS.object,
        "input_tokens": 10,
        "output_tokens": 5,
        "num_model_requests": 1,
        "model": "gpt-6-astra",
        "batch": False,
        **fields,
    }


def bucket(day: int, *results: dict[str, Any], **fields: Any) -> dict[str, Any]:
    start = WINDOW.start + day * DAY
    return {"object": "bucket", "start_time": start, "end_time": start + DAY, "results": list(results), **fields}


def page(*buckets: Any, **fields: Any) -> dict[str, Any]:
    return {"object": "page", "data": list(buckets), "has_more": False, "next_page": None, **fields}


def decode(value: Any, dataset: Dataset = COMPLETIONS, grouped: tuple[str, ...] = ("model",)) -> Page:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return decode_page(body, dataset, WINDOW, grouped)


def values(page: Page, name: str) -> list[Any]:
    return page.batch.metrics[name].listed()


def dimensions(page: Page, name: str, dataset: Dataset = COMPLETIONS) -> list[str | None]:
    at = [dimension.name for dimension in dataset.dimensions].index(name)
    return [page.batch.combinations[index][at] for index in page.batch.combination.tolist()]


def test_rows_become_columns() -> None:
    answer = decode(
        page(
            bucket(0, result(input_tokens=2**40), result(model="o5", input_cached_tokens=3)),
            bucket(1),
            bucket(3, result(input_cached_tokens=None)),
        )
    )
    batch = answer.batch
    assert (batch.dataset, batch.width, batch.grouped) == ("completions", BucketWidth.DAY, ("model",))
    assert batch.starts.tolist() == [WINDOW.start, WINDOW.start + DAY, WINDOW.start + 3 * DAY]
    assert batch.bucket.tolist() == [WINDOW.start, WINDOW.start, WINDOW.start + 3 * DAY]
    assert dimensions(answer, "model") == ["gpt-6-astra", "o5", "gpt-6-astra"]
    assert len(batch.combinations) == 2
    assert values(answer, "input_tokens") == [2**40, 10, 10]
    assert values(answer, "input_cached_tokens") == [None, 3, None]
    assert batch.metrics["input_tokens"].values.dtype == np.int64
    assert batch.metrics["input_tokens"].missing is None
    assert batch.combination.dtype == np.int32
    assert (answer.has_more, answer.next_page) == (False, None)
    assert batch.extra == {}


def test_empty_page_gives_an_empty_batch() -> None:
    batch = decode(page()).batch
    assert len(batch) == 0
    assert len(batch.starts) == 0
    assert batch.bucket.dtype == np.int64
    assert set(batch.metrics) == {metric.name for metric in COMPLETIONS.metrics}
    assert len(decode(page(), COSTS).batch.metrics["amount"]) == 0


def test_older_field_name_result_is_accepted() -> None:
    old = bucket(0)
    old["result"] = [result(input_tokens=7)]
    del old["results"]
    assert values(decode(page(old, bucket(1, result()))), "input_tokens") == [7, 10]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(True, "true"), (False, "false"), ("true", "true"), ("False", "false"), (None, None), (7, "7"), ([1], "[1]")],
)
def test_batch_as_boolean_string_or_other_value(sent: Any, kept: str | None) -> None:
    assert dimensions(decode(page(bucket(0, result(batch=sent)))), "batch") == [kept]


def test_dimension_of_another_type_becomes_its_json_text() -> None:
    answer = decode(
        page(bucket(0, result(model=5.50), result(model=True), result(model={"a": 1}), result(model="")))
    )
    assert dimensions(answer, "model") == ["5.5", "true", '{"a": 1}', ""]


def test_whole_floats_are_accepted_as_counts() -> None:
    answer = decode(page(bucket(0, result(input_tokens=12.0, input_cached_tokens=0.0), result())))
    assert values(answer, "input_tokens") == [12, 10]
    assert values(answer, "input_cached_tokens") == [0, None]


@pytest.mark.parametrize("value", [-1, 1.5, "5", True, [], {}, None, 2**63, 2**64, 1e300])
def test_invalid_required_count_is_reported_with_its_path(value: Any) -> None:
    answer = page(bucket(0, result()), bucket(1, result(), result(input_tokens=value)))
    with pytest.raises(WrongShape) as caught:
        decode(answer)
    assert caught.value.path == "data[1].results[1].input_tokens"
    assert "data[1].results[1].input_tokens" in str(caught.value)


def test_missing_required_count_is_reported_with_its_path() -> None:
    broken = result()
    del broken["output_tokens"]
    with pytest.raises(WrongShape, match="missing") as caught:
        decode(page(bucket(2, result(), result(), broken)))
    assert caught.value.path == "data[0].results[2].output_tokens"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "nan", "1.", "01", "+1"])
def test_numbers_that_are_not_json_are_rejected(text: str) -> None:
    body = json.dumps(page(bucket(0, result(input_tokens=987654)))).replace("987654", text)
    with pytest.raises(NotJson):
        decode(body.encode())


def test_unknown_fields_of_results_are_kept() -> None:
    first = result(mood="good", depth={"a": [1.50]}, empty=None)
    answer = decode(page(bucket(0, result(), first), bucket(1, first, result(), result(other="ä"))))
    kept = {row: json.loads(text) for row, text in answer.batch.extra.items()}
    assert kept == {
        1: {"mood": "good", "depth": {"a": [1.5]}},
        2: {"mood": "good", "depth": {"a": [1.5]}},
        4: {"other": "ä"},
    }
    assert '"a": [1.5]' in answer.batch.extra[1]
    assert values(answer, "input_tokens") == [10] * 5


def test_names_in_rows_of_costs_are_names_and_no_fields() -> None:
    rows = [
        cost(1, project_id="proj_1", project_name="Search", user_id="user-1", user_email="ada@example.com"),
        cost(2, project_id="proj_1", project_name="Search", user_id=None, user_email=None, mood="good"),
        cost(3, project_id=None, project_name="nobody's", user_id="user-2", user_email=""),
        cost(4, project_id="proj_2", project_name=5),
    ]
    batch = decode(page(bucket(0, *rows)), COSTS).batch
    assert set(batch.names) == {Name("project", "proj_1", "Search"), Name("user", "user-1", "ada@example.com")}
    assert batch.extra == {1: '{"mood":"good"}'}


def test_unknown_fields_of_pages_and_buckets_are_ignored() -> None:
    answer = decode(page(bucket(0, result(), mood=1), mood={"x": 1}))
    assert len(answer.batch) == 1
    assert answer.batch.extra == {}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (WINDOW.start - DAY, None),
        (WINDOW.end, None),
        (WINDOW.start + 3600, None),
        (WINDOW.start + 1, WINDOW.start + DAY),
        (WINDOW.start, WINDOW.start + 2 * DAY),
        (WINDOW.start, WINDOW.start),
        (0, DAY),
        (10**17, None),
    ],
)
def test_unexpected_buckets_are_errors(start: int, end: int | None) -> None:
    with pytest.raises(BucketError):
        decode(page(bucket(1), bucket(0, start_time=start, end_time=end)))


def test_duplicate_bucket_is_an_error() -> None:
    with pytest.raises(BucketError, match="twice"):
        decode(page(bucket(1, result()), bucket(0), bucket(1)))


def test_bucket_may_end_early() -> None:
    assert len(decode(page(bucket(0, result(), end_time=WINDOW.start + 100))).batch) == 1
    assert len(decode(page(bucket(0, result(), end_time=None))).batch) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"has_more": True, "next_page": "page_A"}, (True, "page_A")),
        ({"has_more": False, "next_page": "page_A"}, (False, None)),
        ({"has_more": None, "next_page": "page_A"}, (True, "page_A")),
        ({"has_more": None, "next_page": None}, (False, None)),
        ({"has_more": None, "next_page": ""}, (False, None)),
    ],
)
def test_cursor_and_has_more(fields: dict[str, Any], expected: tuple[bool, str | None]) -> None:
    answer = decode(page(**fields))
    assert (answer.has_more, answer.next_page) == expected


@pytest.mark.parametrize("cursor", [None, "", "x" * (MAX_CURSOR + 1)])
def test_missing_or_too_long_cursor_is_an_error(cursor: str | None) -> None:
    with pytest.raises(CursorError):
        decode(page(has_more=True, next_page=cursor))


def test_page_without_has_more_and_cursor_is_the_last() -> None:
    assert decode({"data": []}).has_more is False


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"<html>", b"{", b'{"data": [', b"\xff\xfe", b"nul", b'{"data": []} x', b'{"data": ["\xff"]}',
     b'{"data": [{"start_time": 1728000000, "results": [{"model": "\xff"}]}]}',
     b'{"data": [{"start_time": 1728000000, "results": [{"model": "\\ud800"}]}]}'],
)  # fmt: skip
def test_invalid_json_is_an_error(body: bytes) -> None:
    with pytest.raises((NotJson, WrongShape)):
        decode(body)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b'{"data": ['])
def test_text_that_is_not_json_is_an_error(body: bytes) -> None:
    with pytest.raises(NotJson):
        decode(body)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ([], ""),
        ("x", ""),
        (7, ""),
        (None, ""),
        ({}, ""),
        ({"data": None}, "data"),
        ({"data": {}}, "data"),
        ({"data": [], "has_more": "yes"}, "has_more"),
        ({"data": [], "next_page": 7}, "next_page"),
        ({"data": [7]}, "data[0]"),
        ({"data": [None]}, "data[0]"),
        ({"data": [{}]}, "data[0].start_time"),
        ({"data": [{"start_time": "x", "results": []}]}, "data[0].start_time"),
        ({"data": [{"start_time": -86400, "results": []}]}, "data[0].start_time"),
        ({"data": [{"start_time": WINDOW.start}]}, "data[0].results"),
        ({"data": [{"start_time": WINDOW.start, "results": None}]}, "data[0].results"),
        ({"data": [{"start_time": WINDOW.start, "results": {}}]}, "data[0].results"),
        ({"data": [{"start_time": WINDOW.start, "results": [None]}]}, "data[0].results[0]"),
        ({"data": [{"start_time": WINDOW.start, "results": [[]]}]}, "data[0].results[0]"),
        ({"data": [{"start_time": WINDOW.start, "end_time": "x", "results": []}]}, "data[0].end_time"),
    ],
)
def test_unexpected_structure_is_reported_with_its_path(value: Any, path: str) -> None:
    with pytest.raises(WrongShape) as caught:
        decode(value)
    assert caught.value.path == path


@pytest.mark.parametrize("depth", [100_000, 5_000])
def test_deep_nesting_is_an_error(depth: int) -> None:
    for body in (
        b"[" * depth,
        b'{"data": ' + b"[" * depth + b"]" * depth + b"}",
        json.dumps(page(bucket(0, result(mood="HERE")))).encode().replace(b'"HERE"', b"[" * depth + b"]" * depth),
    ):
        with pytest.raises(WrongShape, match="nested too deeply"):
            decode(body)


@pytest.mark.parametrize("large", [1, LARGE], ids=["split", "whole"])
def test_nesting_is_bounded_by_one_number(large: int) -> None:
    """A row's field lies 5 levels deep: page, data, bucket, results, row. No interpreter stops before the limit."""
    text = json.dumps(page(bucket(0, result(mood="HERE")), bucket(1)), separators=(",", ":")).encode()
    lists = MAX_NESTING - 5
    allowed = text.replace(b'"HERE"', b"[" * lists + b"]" * lists)
    assert decode_page(allowed, COMPLETIONS, WINDOW, ("model",), large=large).batch.starts.size == 2
    too_deep = text.replace(b'"HERE"', b"[" * lists + b"{}" + b"]" * lists)
    with pytest.raises(WrongShape, match="nested too deeply"):
        decode_page(too_deep, COMPLETIONS, WINDOW, ("model",), large=large)


def cost(value: Any, currency: Any = "usd", **fields: Any) -> dict[str, Any]:
    return {"object": COSTS.object, "amount": {"value": value, "currency": currency}, **fields}


def test_money_is_exact_as_number_and_as_string() -> None:
    rows = [cost(0.1), cost("0.100000000000000000000001", "USD"), cost(-3), cost(None, None), {"amount": None}, {}]
    answer = decode(page(bucket(0, *rows)), COSTS)
    exact = [Decimal("0.1"), Decimal("0.100000000000000000000001"), Decimal(-3), None, None, None]
    assert values(answer, "amount") == exact
    assert dimensions(answer, "currency", COSTS) == ["usd", "usd", "usd", None, None, None]


def test_money_is_not_converted_through_a_float() -> None:
    body = json.dumps(page(bucket(0, cost(987654)))).replace("987654", "12345678901234.123456789012345678901234")
    assert values(decode(body.encode(), COSTS), "amount") == [Decimal("12345678901234.123456789012345678901234")]


def test_quantities_have_their_unit() -> None:
    answer = decode(page(bucket(0, cost(1, quantity="1.50", quantity_unit="tokens", line_item="a, b"))), COSTS)
    assert values(answer, "quantity") == [Decimal("1.50")]
    assert dimensions(answer, "quantity_unit", COSTS) == ["tokens"]
    assert dimensions(answer, "line_item", COSTS) == ["a, b"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "", "ten", True, [], {}, 1e15, "1" * 300])
def test_invalid_amounts_are_reported_with_their_path(value: Any) -> None:
    with pytest.raises(WrongShape) as caught:
        decode(page(bucket(0), bucket(1, cost(1), cost(value))), COSTS)
    assert caught.value.path == "data[1].results[1].amount.value"


@pytest.mark.parametrize("amount", [5, "5", [], True])
def test_amount_that_is_not_an_object_is_an_error(amount: Any) -> None:
    with pytest.raises(WrongShape) as caught:
        decode(page(bucket(0, {"amount": amount})), COSTS)
    assert caught.value.path == "data[0].results[0].amount"


def test_new_dataset_is_decoded_by_its_catalog_entry() -> None:
    invented = Dataset(
        name="invented",
        label="Invented",
        path="/invented",
        object="invented",
        dimensions=(Dimension("place", "Place", path=("where", "place")),),
        metrics=(Metric("things", "Things", "things", required=True, path=("what", "count")),),
        page_limits={BucketWidth.DAY: PageLimit(7, 31)},
        default_columns=("things",),
    )
    rows: list[dict[str, Any]] = [
        {"where": {"place": "here"}, "what": {"count": 5}},
        {"where": None, "what": {"count": 6.0}},
    ]
    answer = decode(page(bucket(0, *rows)), invented, ("place",))
    assert values(answer, "things") == [5, 6]
    assert dimensions(answer, "place", invented) == ["here", None]
    with pytest.raises(WrongShape) as caught:
        decode(page(bucket(0, {"what": {}})), invented)
    assert caught.value.path == "data[0].results[0].what.count"


def test_rows_of_many_buckets_keep_their_order() -> None:
    window = BucketRun(BucketWidth.MINUTE, 0, 86400)
    rows = [(minute, number) for minute in range(1440) for number in range(minute % 17)]
    data = [
        {
            "start_time": minute * 60,
            "results": [
                result(model=f"m{number % 5}", input_tokens=minute * 100 + number, mood=number or None)
                for number in range(minute % 17)
            ],
        }
        for minute in range(1440)
    ]
    batch = decode_page(json.dumps({"data": data}).encode(), COMPLETIONS, window, ("model",)).batch
    assert batch.bucket.tolist() == [minute * 60 for minute, _ in rows]
    assert batch.metrics["input_tokens"].listed() == [minute * 100 + number for minute, number in rows]
    models = [batch.combinations[index][3] for index in batch.combination.tolist()]
    assert models == [f"m{number % 5}" for _, number in rows]
    assert batch.extra == {row: f'{{"mood":{number}}}' for row, (_, number) in enumerate(rows) if number}
