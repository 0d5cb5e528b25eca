"""The DuckDB connection, its schema and its memory."""
