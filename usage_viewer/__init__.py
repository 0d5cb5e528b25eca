"""Usage Viewer: see, filter, regroup, sort and copy an organization's OpenAI usage."""

__version__ = "0.1.0"
