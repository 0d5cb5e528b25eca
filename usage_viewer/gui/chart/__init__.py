"""Draws the shown result as bars, a line or a heat map above the table."""
