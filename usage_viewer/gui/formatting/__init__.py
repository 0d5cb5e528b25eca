"""Formats numbers, periods, ranges and times in the user's locale."""
