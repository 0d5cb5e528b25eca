"""Implements the use cases that the window and the command line share: session, fetch, settings, export."""
