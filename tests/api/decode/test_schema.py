import msgspec
import pytest

from usage_viewer.api.decode.schema import ABSENT, MAX_EXTRAS, AdaptiveSchema, schema_for
from usage_viewer.domain.catalog import API_DATASETS, COSTS, Dataset, Metric, PageLimit
from usage_viewer.domain.period import BucketWidth


@pytest.mark.parametrize("dataset", API_DATASETS.values(), ids=lambda dataset: dataset.name)
def test_every_dataset_has_a_schema(dataset: Dataset) -> None:
    schema = AdaptiveSchema(dataset).current
    assert [field.item for field in schema.dimensions] == list(dataset.dimensions)
    assert {field.item.name for field in (*schema.counts, *schema.decimals)} == {m.name for m in dataset.metrics}


def test_schema_is_built_once() -> None:
    assert schema_for(COSTS) is schema_for(COSTS)


def test_nested_fields_share_one_struct() -> None:
    schema = AdaptiveSchema(COSTS).current
    text = (
        b'{"start_time": 0, "results": [{"object": "x", "amount": {"value": 1.5, "currency": "usd", "more": 1}}]}'
    )
    (row,) = schema.decoder.decode(text).results
    paths = {field.path: field.attributes for field in (*schema.dimensions, *schema.decimals)}
    outer, inner = paths["amount", "value"]
    assert bytes(getattr(getattr(row, outer), inner)) == b"1.5"
    assert paths["amount", "currency"][0] == outer


def test_absent_counts_have_the_absent_value() -> None:
    dataset = API_DATASETS["completions"]
    schema = AdaptiveSchema(dataset).current
    text = b'{"start_time": 0, "results": [{"num_model_requests": 1, "input_tokens": 2, "output_tokens": 3}]}'
    (row,) = schema.decoder.decode(text).results
    values = {field.item.name: getattr(row, field.attributes[0]) for field in schema.counts}
    assert values["input_tokens"] == 2
    assert values["input_cached_tokens"] == ABSENT


def test_object_with_a_required_field_is_required() -> None:
    dataset = Dataset(
        name="nested",
        label="Nested",
        path="/nested",
        object="nested",
        dimensions=(),
        metrics=(Metric("deep", "Deep", "x", required=True, path=("a", "b", "c")),),
        page_limits={BucketWidth.DAY: PageLimit(1, 1)},
        default_columns=("deep",),
    )
    decoder = AdaptiveSchema(dataset).current.decoder
    assert decoder.decode(b'{"start_time": 0, "results": [{"a": {"b": {"c": 7}}}]}').results
    for text in (b"{}", b'{"a": null}', b'{"a": {}}', b'{"a": {"b": {}}}'):
        with pytest.raises(msgspec.ValidationError):
            decoder.decode(b'{"start_time": 0, "results": [' + text + b"]}")


def test_unknown_fields_are_added_up_to_a_limit() -> None:
    schema = AdaptiveSchema(COSTS)
    text = b'{"start_time": 0, "results": [{"new-field": [1, 2]}]}'
    with pytest.raises(msgspec.ValidationError):
        schema.current.decoder.decode(text)
    schema.add_extras({"new-field"})
    (row,) = schema.current.decoder.decode(text).results
    assert bytes(getattr(row, schema.current.extras["new-field"])) == b"[1, 2]"
    before = schema.current
    schema.add_extras({f"field {index}" for index in range(MAX_EXTRAS)})
    schema.add_extras(set())
    assert schema.current is before


@pytest.mark.parametrize("name", ["\x1f", 'quoted"', "back\\slash", "", "x" * 101, "line\nend"])
def test_fields_with_unusual_names_are_not_added(name: str) -> None:
    schema = AdaptiveSchema(COSTS)
    before = schema.current
    schema.add_extras({name})
    assert schema.current is before
    schema.add_extras({name, "plain"})
    assert list(schema.current.extras) == ["plain"]
