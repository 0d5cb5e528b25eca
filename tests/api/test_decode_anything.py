"""Tests that any JSON value anywhere in a response gives rows or a typed error."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rigs.json_places import changed, places
from usage_viewer.api.decode.page import Page, decode_page
from usage_viewer.domain.catalog import API_DATASETS, COSTS, Dataset
from usage_viewer.domain.network_errors import AnswerError
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


def cost(value: Any, currency: Any = "usd", **fields: Any) -> dict[str, Any]:
    return {"object": COSTS.object, "amount": {"value": value, "currency": currency}, **fields}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([-1, 2**63, 12.0, "NaN", "1e5", WINDOW.start, WINDOW.start + DAY, "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


GOOD_USAGE = page(
    bucket(0, result(), result(model=None, mood=1)), bucket(1), bucket(2, result(input_cached_tokens=3))
)
GOOD_COSTS = page(bucket(0, cost("1.5"), cost(2, quantity=1)), bucket(1))


@st.composite
def mutated_pages(draw: st.DrawFn) -> tuple[Dataset, bytes]:
    """Draw a valid page with JSON values replaced at random places, or with random bytes in its text."""
    dataset = draw(st.sampled_from([*API_DATASETS.values()]))
    value: Any = GOOD_COSTS if dataset is COSTS else GOOD_USAGE
    if dataset not in (COSTS, COMPLETIONS, API_DATASETS["decisions"]):
        row = {metric.name: 1 for metric in dataset.metrics} | {item.name: "x" for item in dataset.dimensions}
        value = page(bucket(0, row, row), bucket(1, row))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([*places(value)]))
        value = changed(value, path, draw(JSON))
    body = json.dumps(value, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=3)) + body[at + draw(st.integers(0, 3)) :]
    return dataset, body


def check_mutated(dataset: Dataset, body: bytes) -> None:
    try:
        decoded = decode_page(body, dataset, WINDOW, dataset.group_by)
    except AnswerError as error:
        raised: AnswerError | None = error
    else:
        raised = None
        check_page(decoded, dataset)
    assert raised is None or 0 < len(raised.detail) < 500


def check_page(answer: Page, dataset: Dataset) -> None:
    batch = answer.batch
    assert set(batch.bucket.tolist()) <= set(batch.starts.tolist())
    assert len(batch.combination) == len(batch)
    for metric in dataset.metrics:
        figures = batch.metrics[metric.name]
        assert len(figures) == len(batch)
        assert not metric.required or figures.missing is None
        assert metric.kind != "count" or all(value is None or value >= 0 for value in figures.listed())
    for text in batch.extra.values():
        assert isinstance(json.loads(text), dict)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated_pages())
def test_any_value_anywhere_gives_rows_or_a_typed_error(mutated: tuple[Dataset, bytes]) -> None:
    check_mutated(*mutated)


@pytest.mark.fuzz
@settings(max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated_pages())
def test_any_value_anywhere_at_length(mutated: tuple[Dataset, bytes]) -> None:
    check_mutated(*mutated)
