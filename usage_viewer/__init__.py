"""Usage Viewer shows an organization's OpenAI usage: filter, group, sort and copy it."""

__version__ = "0.1.0"

RELEASED_AT = 1_788_220_800
"""2026-09-01 in epoch seconds. No answer to this version was sent before: an earlier date is a wrong clock's."""
