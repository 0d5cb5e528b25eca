"""The database: what was fetched, kept in one DuckDB file, and every question about it answered from there."""

from usage_viewer.store.store import Store

__all__ = ["Store"]
