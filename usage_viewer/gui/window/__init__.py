"""Composes the window: the shell with its pages, the commands, the bars for errors, notices and status."""
