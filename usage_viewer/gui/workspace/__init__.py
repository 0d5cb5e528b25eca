"""Holds the state of the window (view, result, selection, settings), the work in threads, and the start's context."""
