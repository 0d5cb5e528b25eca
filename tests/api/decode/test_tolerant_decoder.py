import msgspec
import pytest

from usage_viewer.api.decode.schema import Shapes
from usage_viewer.api.decode.tolerant_decoder import read_bucket
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import WrongShape

SHAPE = Shapes(DATASETS["vector_stores"]).now


def test_it_reads_what_the_typed_way_reads() -> None:
    text = b'{"start_time": 60, "end_time": 120, "results": [{"usage_bytes": 5, "project_id": "p"}]}'
    careful = read_bucket(msgspec.Raw(text), SHAPE, "data[0]")
    typed = SHAPE.decoder.decode(text)
    assert (careful.start, careful.end, careful.rows) == (typed.start_time, typed.end_time, typed.results)
    assert careful.extras == {}
    assert careful.unknown == set()


def test_unknown_fields_are_told_also_where_they_are_null() -> None:
    text = b'{"start_time": 6e1, "results": [{"usage_bytes": 5, "a": null}, {"usage_bytes": 6, "b": [1]}]}'
    careful = read_bucket(msgspec.Raw(text), SHAPE, "data[0]")
    assert careful.start == 60
    assert careful.end is None
    assert careful.unknown == {"a", "b"}
    assert {row: {name: bytes(raw) for name, raw in fields.items()} for row, fields in careful.extras.items()} == {
        1: {"b": b"[1]"}
    }


def test_errors_name_the_place() -> None:
    with pytest.raises(WrongShape) as caught:
        read_bucket(msgspec.Raw(b'{"start_time": 60, "result": [{"usage_bytes": null}]}'), SHAPE, "data[7]")
    assert caught.value.path == "data[7].result[0].usage_bytes"
