"""Measures decoding, in rows a second from bytes to columns, against the official SDK, pydantic and json."""

import json
from collections.abc import Callable, Iterator
from functools import partial

import httpx2
import numpy as np
import openai
import pydantic
from data import DATASET, DIMENSIONS, METRICS
from lines import Line, interleaved
from page import Page, page_of

from usage_viewer.api.decode.page import decode_page
from usage_viewer.domain.catalog import dataset_named

MEGABYTES = 8
NOTE = (
    "Half of the time is the decoder's own, the other half columns out of its rows. Tried: rows as tuples (6 % "
    "less), few rows at a time while they are in the cache (10 % less), whole columns by zip (the second half "
    "takes twice as long), numbers without bounds (4 % less, but a negative one would pass for an absent one), a "
    "literal for each row's kind (1 %)."
)
GOALS = {"the official SDK": 15.0, "json and numpy": 2.0}


class _Row(pydantic.BaseModel):
    num_model_requests: int
    input_tokens: int
    input_cached_tokens: int
    output_tokens: int
    project_id: str | None
    user_id: str | None
    api_key_id: str | None
    model: str | None
    batch: bool | None
    service_tier: str | None
    api_source: str | None


class _Bucket(pydantic.BaseModel):
    start_time: int
    end_time: int
    results: list[_Row]


class _Answer(pydantic.BaseModel):
    data: list[_Bucket]
    has_more: bool


def measure() -> Iterator[Line]:
    page = page_of(MEGABYTES)
    works: dict[str, Callable[[Page], int]] = {
        "ours": _ours,
        "the official SDK": _sdk,
        "pydantic": _pydantic,
        "json and numpy": _json,
    }
    for name, work in works.items():
        assert work(page) == page.input_tokens, f"{name}: the sums differ"
    taken = interleaved({name: partial(work, page) for name, work in works.items()}, 3, 0)
    rates = {name: page.rows / milliseconds * 1000 for name, milliseconds in taken.items()}
    for name, rate in list(rates.items())[1:]:
        goal = GOALS.get(name)
        yield Line(
            "decode to columns",
            rates["ours"],
            "rows/s",
            name,
            rate,
            f"≥ {goal:g} ×" if goal else "",
            goal * rate if goal else None,
            at_least=True,
            note=NOTE,
        )


def _ours(page: Page) -> int:
    dataset = dataset_named(DATASET)
    batch = decode_page(page.body, dataset, page.window, dataset.group_by).batch
    return int(batch.metrics["input_tokens"].values.sum())


def _sdk(page: Page) -> int:
    """Decode to the SDK's models only."""
    transport = httpx2.MockTransport(
        lambda request: httpx2.Response(200, content=page.body, headers={"content-type": "application/json"})
    )
    with openai.OpenAI(
        api_key="none", admin_api_key="sk-admin-none", http_client=openai.DefaultHttpxClient(transport=transport)
    ) as client:
        found = client.admin.organization.usage.completions(start_time=page.window.start)
    return sum(row.input_tokens for bucket in found.data for row in bucket.results)  # type: ignore[union-attr, misc]


def _pydantic(page: Page) -> int:
    answer = _Answer.model_validate_json(page.body)
    return sum(row.input_tokens for bucket in answer.data for row in bucket.results)


def _json(page: Page) -> int:
    """Decode to arrays with dimensions as codes, as a short script does."""
    answer = json.loads(page.body)
    rows = [row for bucket in answer["data"] for row in bucket["results"]]
    columns = {name: np.array([row[name] for row in rows], np.int64) for name in METRICS}
    for name in DIMENSIONS:
        codes: dict[object, int] = {}
        np.array([codes.setdefault(row.get(name), len(codes)) for row in rows], np.int32)
    return int(columns["input_tokens"].sum())
