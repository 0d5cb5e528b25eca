"""Saves and loads settings, views, and the table that the next start shows first."""
