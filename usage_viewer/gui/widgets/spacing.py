"""The measure that all distances are made of; by itself, for it is needed before anything else is loaded."""

UNIT = 8
"""Pixels: all distances are multiples or halves of it."""
