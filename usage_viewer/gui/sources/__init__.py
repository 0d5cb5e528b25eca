"""Chooses the data source: key, organization, snapshot, demo, and deleting data."""
