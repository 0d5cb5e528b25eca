"""Tests that settings store the keys of columns as text and read old files unchanged."""

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_viewer.app.settings.settings import ProfileSettings, Settings, load, save
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey

VALUES = st.none() | st.text(st.characters(), max_size=12) | st.text("@;=%", max_size=8)
KEYS = st.builds(
    ColumnKey,
    st.sampled_from(["input_tokens", "output_tokens"]),
    st.none() | st.integers(0, 2**32),
    st.none() | st.tuples(st.sampled_from(["model", "extra.a=b"]), VALUES),
    st.booleans(),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(KEYS, st.booleans(), st.integers(8, 500)), max_size=4, unique_by=lambda item: item[0]))
def test_order_and_widths_of_any_column_are_read_back(
    tmp_path: Path, columns: list[tuple[ColumnKey, bool, int]]
) -> None:
    view = ViewState(order=tuple(SortKey(key, descending) for key, descending, _ in columns))
    profile = ProfileSettings(view, {key.text: width for key, _, width in columns})
    path = tmp_path / "settings.json"
    save(path, Settings({"default": profile}))
    restored = load(path).profile("default")
    assert restored.view.order == view.order
    assert {ColumnKey.parse(text): width for text, width in restored.widths.items()} == {
        key: width for key, _, width in columns
    }


def test_plain_keys_are_stored_as_names(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    order = (SortKey("input_tokens", descending=True), SortKey("period"))
    save(path, Settings({"default": ProfileSettings(ViewState(order=order, per=Granularity.DAY), {"model": 99})}))
    stored = json.loads(path.read_text())["profiles"]["default"]
    assert stored["view"]["order"] == [
        {"column": "input_tokens", "descending": True},
        {"column": "period", "descending": False},
    ]
    assert stored["widths"] == {"model": 99}


def test_order_of_a_figure_that_is_not_shown_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    order = [{"column": text} for text in ("amount@compared", "output_tokens@compared", "output_tokens@compared")]
    path.write_text(json.dumps({"profiles": {"default": {"view": {"order": order}}}}))
    assert load(path).profile("default").view.order == (SortKey(ColumnKey("output_tokens", compared=True)),)
