"""Holds the state of the window: view, result, selection, settings and context; runs the work in threads."""
