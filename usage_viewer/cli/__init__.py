"""Implements the command line, which uses the same core as the window."""
