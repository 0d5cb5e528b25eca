"""Fetches missing buckets from a source into the store."""
