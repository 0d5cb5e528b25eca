"""Defines the unit of distances. This module imports nothing: the first paint of the window needs it early."""

UNIT = 8
"""Pixels. All distances are multiples or halves of this unit."""
