"""Saves and opens snapshots: archives of usage in Parquet files."""
