"""Makes one page of an answer of any size, as the server writes it."""

import json
from dataclasses import dataclass

from data import DATASET, DAY, LAST

from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.api.service import Service
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.period import BucketRun, BucketWidth

HOURS = 168


@dataclass(frozen=True)
class Page:
    body: bytes
    window: BucketRun
    rows: int
    input_tokens: int


def page_of(megabytes: int) -> Page:
    """Return the hours of a week, whose rows are repeated until the page has the size in megabytes."""
    dataset = dataset_named(DATASET)
    window = BucketRun(BucketWidth.HOUR, LAST - 6 * DAY, LAST + DAY)
    parameters = {
        "start_time": [str(window.start)],
        "end_time": [str(window.end)],
        "bucket_width": ["1h"],
        "limit": [str(HOURS)],
        "group_by": list(dataset.group_by),
    }
    service = Service(SyntheticOrganization(scale="large", anchor=LAST))
    status, body = service.respond(
        dataset.path, parameters, {"authorization": f"Bearer {ADMIN_KEY}"}, window.end + DAY
    )
    assert status == 200, body[:300]
    answer = json.loads(body)
    times = max(1, round(megabytes * 2**20 / len(body)))
    for bucket in answer["data"]:
        bucket["results"] *= times
    rows = [row for bucket in answer["data"] for row in bucket["results"]]
    body = json.dumps(answer, separators=(",", ":")).encode()
    return Page(body, window, len(rows), sum(row["input_tokens"] for row in rows))
