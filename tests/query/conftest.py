"""Fixtures of the query layer's tests."""

from tests.rigs.usage import ask, between, coverage, make_usage, oracle, path, shown, small_batch, store
