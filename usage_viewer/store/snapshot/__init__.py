"""Reads and writes the Parquet files of a snapshot."""
