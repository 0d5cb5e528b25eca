from decimal import Decimal

import msgspec

from usage_viewer.api.decode.batch_builder import BatchBuilder
from usage_viewer.api.decode.schema import AdaptiveSchema
from usage_viewer.domain.catalog import API_DATASETS, COSTS
from usage_viewer.domain.period import BucketWidth


def test_combinations_are_numbered_by_first_appearance_in_all_buckets() -> None:
    dataset = API_DATASETS["vector_stores"]
    schema = AdaptiveSchema(dataset).current
    builder = BatchBuilder(dataset, BucketWidth.HOUR, schema)
    for start, projects in ((7200, ["b", "a"]), (3600, ["a", None, "b"])):
        rows = [{"usage_bytes": 2**62, "project_id": project} for project in projects]
        decoded = schema.decoder.decode(msgspec.json.encode({"start_time": start, "results": rows}))
        builder.add_bucket(start, decoded.results, schema, "data[0]")
    batch = builder.build(("project_id",))
    assert batch.starts.tolist() == [3600, 7200]
    assert batch.bucket.tolist() == [7200, 7200, 3600, 3600, 3600]
    assert batch.combinations == [("b",), ("a",), (None,)]
    assert batch.combination.tolist() == [0, 1, 1, 2, 0]
    assert batch.metrics["usage_bytes"].total() == 5 * 2**62


def test_rows_of_two_schemas_share_columns() -> None:
    schema = AdaptiveSchema(COSTS)
    old = schema.current
    builder = BatchBuilder(COSTS, BucketWidth.DAY, old)
    text = b'{"start_time": 0, "results": [{"amount": {"value": "1.5", "currency": "EUR"}}]}'
    builder.add_bucket(0, old.decoder.decode(text).results, old, "data[0]")
    schema.add_extras({"mood"})
    text = b'{"start_time": 86400, "results": [{"amount": {"value": 2, "currency": "eur"}, "mood": "good"}]}'
    builder.add_bucket(86400, schema.current.decoder.decode(text).results, schema.current, "data[1]")
    batch = builder.build(())
    assert batch.metrics["amount"].listed() == [Decimal("1.5"), Decimal(2)]
    assert len(batch.combinations) == 1
    assert batch.extra == {1: '{"mood":"good"}'}
