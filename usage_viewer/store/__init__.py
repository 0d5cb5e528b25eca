"""Keeps the fetched usage in one DuckDB file and reads sums from it."""

from usage_viewer.store.store import Store

__all__ = ["Store"]
