"""Resources are found in a checkout; a missing one raises an error with its name."""

import pytest

from usage_viewer.resources import asset


def test_resource_is_found() -> None:
    assert asset("icons/usage-viewer.svg").read_bytes().startswith(b"<svg")


def test_missing_resource_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"icons/none\.svg"):
        asset("icons/none.svg")
