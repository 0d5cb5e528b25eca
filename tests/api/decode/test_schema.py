import msgspec
import pytest

from usage_viewer.api.decode.schema import ABSENT, MAX_EXTRAS, Shapes, shapes_of
from usage_viewer.domain.catalog import COSTS, DATASETS, Dataset, Metric, PageLimit
from usage_viewer.domain.period import BucketWidth


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.name)
def test_every_dataset_has_a_shape(dataset: Dataset) -> None:
    shape = Shapes(dataset).now
    assert [leaf.item for leaf in shape.dimensions] == list(dataset.dimensions)
    assert {leaf.item.name for leaf in (*shape.counts, *shape.decimals)} == {m.name for m in dataset.metrics}


def test_a_shape_is_built_once() -> None:
    assert shapes_of(COSTS) is shapes_of(COSTS)


def test_nested_fields_are_one_object() -> None:
    shape = Shapes(COSTS).now
    text = (
        b'{"start_time": 0, "results": [{"object": "x", "amount": {"value": 1.5, "currency": "usd", "more": 1}}]}'
    )
    (row,) = shape.decoder.decode(text).results
    paths = {leaf.path: leaf.attributes for leaf in (*shape.dimensions, *shape.decimals)}
    outer, inner = paths["amount", "value"]
    assert bytes(getattr(getattr(row, outer), inner)) == b"1.5"
    assert paths["amount", "currency"][0] == outer


def test_absent_counts_have_a_mark() -> None:
    dataset = DATASETS["completions"]
    shape = Shapes(dataset).now
    text = b'{"start_time": 0, "results": [{"num_model_requests": 1, "input_tokens": 2, "output_tokens": 3}]}'
    (row,) = shape.decoder.decode(text).results
    values = {leaf.item.name: getattr(row, leaf.attributes[0]) for leaf in shape.counts}
    assert values["input_tokens"] == 2
    assert values["input_cached_tokens"] == ABSENT


def test_required_fields_within_an_object_make_it_required() -> None:
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
    decoder = Shapes(dataset).now.decoder
    assert decoder.decode(b'{"start_time": 0, "results": [{"a": {"b": {"c": 7}}}]}').results
    for text in (b"{}", b'{"a": null}', b'{"a": {}}', b'{"a": {"b": {}}}'):
        with pytest.raises(msgspec.ValidationError):
            decoder.decode(b'{"start_time": 0, "results": [' + text + b"]}")


def test_unknown_fields_are_learnt_up_to_a_bound() -> None:
    shapes = Shapes(COSTS)
    text = b'{"start_time": 0, "results": [{"new-field": [1, 2]}]}'
    with pytest.raises(msgspec.ValidationError):
        shapes.now.decoder.decode(text)
    shapes.learn({"new-field"})
    (row,) = shapes.now.decoder.decode(text).results
    assert bytes(getattr(row, shapes.now.extras["new-field"])) == b"[1, 2]"
    before = shapes.now
    shapes.learn({f"field {index}" for index in range(MAX_EXTRAS)})
    shapes.learn(set())
    assert shapes.now is before


@pytest.mark.parametrize("name", ["\x1f", 'quoted"', "back\\slash", "", "x" * 101, "line\nend"])
def test_odd_names_are_not_learnt(name: str) -> None:
    shapes = Shapes(COSTS)
    before = shapes.now
    shapes.learn({name})
    assert shapes.now is before
    shapes.learn({name, "plain"})
    assert list(shapes.now.extras) == ["plain"]
