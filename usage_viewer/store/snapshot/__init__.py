"""Saves stored usage as Parquet files and loads it from them."""
