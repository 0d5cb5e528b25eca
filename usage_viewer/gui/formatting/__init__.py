"""Formats numbers, periods, ranges and times in the locale."""
