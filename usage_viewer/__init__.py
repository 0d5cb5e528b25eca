"""Usage Viewer shows an organization's OpenAI usage: filter, group, sort and copy it."""

__version__ = "0.1.0"
