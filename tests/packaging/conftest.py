"""Provides the root of the checkout."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """The root directory of the checkout."""
    return Path(__file__).resolve().parents[2]
