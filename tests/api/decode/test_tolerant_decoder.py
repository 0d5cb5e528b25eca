import msgspec
import pytest

from usage_viewer.api.decode.schema import AdaptiveSchema
from usage_viewer.api.decode.tolerant_decoder import decode_bucket
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.network_errors import WrongShape

SCHEMA = AdaptiveSchema(API_DATASETS["vector_stores"]).current


def test_tolerant_decoder_agrees_with_the_typed_decoder() -> None:
    text = b'{"start_time": 60, "end_time": 120, "results": [{"usage_bytes": 5, "project_id": "p"}]}'
    bucket = decode_bucket(msgspec.Raw(text), SCHEMA, "data[0]")
    typed = SCHEMA.decoder.decode(text)
    assert (bucket.start, bucket.end, bucket.rows) == (typed.start_time, typed.end_time, typed.results)
    assert bucket.extras == {}
    assert bucket.unknown == set()


def test_unknown_fields_are_reported_even_if_null() -> None:
    text = b'{"start_time": 6e1, "results": [{"usage_bytes": 5, "a": null}, {"usage_bytes": 6, "b": [1]}]}'
    bucket = decode_bucket(msgspec.Raw(text), SCHEMA, "data[0]")
    assert bucket.start == 60
    assert bucket.end is None
    assert bucket.unknown == {"a", "b"}
    assert {row: {name: bytes(raw) for name, raw in fields.items()} for row, fields in bucket.extras.items()} == {
        1: {"b": b"[1]"}
    }


def test_error_has_the_json_path() -> None:
    with pytest.raises(WrongShape) as caught:
        decode_bucket(msgspec.Raw(b'{"start_time": 60, "result": [{"usage_bytes": null}]}'), SCHEMA, "data[7]")
    assert caught.value.path == "data[7].result[0].usage_bytes"
