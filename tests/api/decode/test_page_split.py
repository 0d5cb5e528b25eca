import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.api.decode.page import Page, decode_page
from usage_viewer.api.decode.page_split import split_page
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.network_errors import AnswerError
from usage_viewer.domain.period import BucketRun, BucketWidth

COMPLETIONS = API_DATASETS["completions"]
DAY = 86400
WINDOW = BucketRun(BucketWidth.DAY, 20_000 * DAY, 20_004 * DAY)


def bucket(day: int, *results: Any, **fields: Any) -> dict[str, Any]:
    start = WINDOW.start + day * DAY
    return {"object": "bucket", "start_time": start, "end_time": start + DAY, "results": list(results), **fields}


def result(**fields: Any) -> dict[str, Any]:
    return {"object": COMPLETIONS.object, "input_tokens": 10, "output_tokens": 5, "num_model_requests": 1, **fields}


def page(*buckets: Any, **fields: Any) -> bytes:
    whole = {"object": "page", "data": list(buckets), "has_more": False, "next_page": None, **fields}
    return json.dumps(whole, separators=(",", ":")).encode()


def outcome(body: bytes, large: int) -> object:
    """Return all contents of the decoded page, or all contents of the error."""
    try:
        page: Page = decode_page(body, COMPLETIONS, WINDOW, ("model",), large=large)
    except AnswerError as error:
        return type(error), str(error), error.detail, error.path
    batch = page.batch
    metrics = {name: figures.listed() for name, figures in batch.metrics.items()}
    rows = [batch.combinations[number] for number in batch.combination.tolist()]
    return batch.starts.tolist(), batch.bucket.tolist(), rows, metrics, batch.extra, page.has_more, page.next_page


USUAL = page(bucket(0, result(model="a")), bucket(1), bucket(2, result(), result(model="b", mood=1)))


def test_buckets_are_located() -> None:
    split = split_page(USUAL)
    assert split is not None
    last, spans = split
    assert [json.loads(USUAL[start:end])["start_time"] for start, end in spans] == [
        WINDOW.start,
        WINDOW.start + DAY,
    ]
    assert [bucket["start_time"] for bucket in json.loads(last)["data"]] == [WINDOW.start + 2 * DAY]


def test_split_page_equals_whole_page() -> None:
    assert outcome(USUAL, 0) == outcome(USUAL, 1 << 30)
    assert isinstance(outcome(USUAL, 0), tuple)


NESTED = {"object": "bucket", "start_time": WINDOW.start + 3 * DAY, "results": []}


@pytest.mark.parametrize(
    "body",
    [
        page(),
        page(bucket(0)),
        page(bucket(0), bucket(0)),
        page(bucket(0), 7, bucket(1)),
        page(bucket(0), bucket(1, result(input_tokens=-1)), bucket(2)),
        page(bucket(0), bucket(1), has_more=True),
        page(bucket(0), bucket(1), has_more=True, next_page="x"),
        page(bucket(0, result(mood=NESTED)), bucket(1)),
        page(bucket(0, result(mood=[NESTED, NESTED])), bucket(1)),
        page(bucket(0), bucket(1, result(mood=[NESTED, NESTED]))),
        page(bucket(0), bucket(1), more=[NESTED]),
        page(bucket(0, result(model='"{"object":"bucket"')), bucket(1, result(model='{"object":"bucket"'))),
        b'{"other":[' + json.dumps(NESTED, separators=(",", ":")).encode() + b'],"data":[' + USUAL[26:],
        USUAL.replace(b',{"object":"bucket"', b' ,\n\t {"object":"bucket"'),
        USUAL.replace(b',{"object":"bucket"', b'{"object":"bucket"'),
        USUAL.replace(b',{"object":"bucket"', b',,{"object":"bucket"'),
        USUAL[:-30],
        USUAL[: len(USUAL) // 2],
        USUAL + b"x",
        USUAL.replace(b'"a"', b'"\xff"'),
        USUAL.replace(b'"data"', b'"data":[],"data"'),
        USUAL.replace(b'"data"', b'"date"'),
    ],
)
def test_split_equals_whole_for_unusual_pages(body: bytes) -> None:
    assert outcome(body, 0) == outcome(body, 1 << 30)


@given(st.integers(0, len(USUAL) - 1), st.integers(0, 12), st.binary(max_size=12))
def test_split_equals_whole_for_damaged_pages(position: int, removed: int, new: bytes) -> None:
    body = USUAL[:position] + new + USUAL[position + removed :]
    assert outcome(body, 0) == outcome(body, 1 << 30)
