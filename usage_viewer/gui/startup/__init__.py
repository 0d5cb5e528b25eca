"""Starts Qt, paints the first window early and allows one instance at a time."""
