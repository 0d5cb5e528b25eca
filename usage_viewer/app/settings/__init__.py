"""Saves and loads settings, views and the table shown at the next start."""
