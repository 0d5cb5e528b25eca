"""Opens the DuckDB file and creates its tables."""
