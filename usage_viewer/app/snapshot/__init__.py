"""Saves and opens snapshots, which are archives of usage in Parquet files."""
