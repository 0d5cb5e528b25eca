"""Copies and saves the shown rows."""
