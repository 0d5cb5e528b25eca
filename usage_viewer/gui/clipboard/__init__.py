"""Copies and saves what the table shows."""
