"""Finds out what the bill's line items mean: pure functions from their names and quantities."""
