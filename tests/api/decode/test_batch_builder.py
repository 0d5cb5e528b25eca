from decimal import Decimal

import msgspec

from usage_viewer.api.decode.batch_builder import Columns
from usage_viewer.api.decode.schema import Shapes
from usage_viewer.domain.catalog import COSTS, DATASETS
from usage_viewer.domain.period import BucketWidth


def test_combinations_are_numbered_as_they_come_over_all_buckets() -> None:
    dataset = DATASETS["vector_stores"]
    shape = Shapes(dataset).now
    columns = Columns(dataset, BucketWidth.HOUR, shape)
    for start, projects in ((7200, ["b", "a"]), (3600, ["a", None, "b"])):
        rows = [{"usage_bytes": 2**62, "project_id": project} for project in projects]
        decoded = shape.decoder.decode(msgspec.json.encode({"start_time": start, "results": rows}))
        columns.add(start, decoded.results, shape, "data[0]")
    batch = columns.batch(("project_id",))
    assert batch.starts.tolist() == [3600, 7200]
    assert batch.bucket.tolist() == [7200, 7200, 3600, 3600, 3600]
    assert batch.combinations == [("b",), ("a",), (None,)]
    assert batch.combination.tolist() == [0, 1, 1, 2, 0]
    assert batch.metrics["usage_bytes"].total() == 5 * 2**62


def test_rows_of_two_shapes_go_to_the_same_columns() -> None:
    shapes = Shapes(COSTS)
    old = shapes.now
    columns = Columns(COSTS, BucketWidth.DAY, old)
    text = b'{"start_time": 0, "results": [{"amount": {"value": "1.5", "currency": "EUR"}}]}'
    columns.add(0, old.decoder.decode(text).results, old, "data[0]")
    shapes.learn({"mood"})
    text = b'{"start_time": 86400, "results": [{"amount": {"value": 2, "currency": "eur"}, "mood": "good"}]}'
    columns.add(86400, shapes.now.decoder.decode(text).results, shapes.now, "data[1]")
    batch = columns.batch(())
    assert batch.metrics["amount"].listed() == [Decimal("1.5"), Decimal(2)]
    assert len(batch.combinations) == 1
    assert batch.extra == {1: '{"mood":"good"}'}
