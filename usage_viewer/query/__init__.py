"""Builds the table of a view from summed facts: numpy only, no SQL, no Qt, no I/O."""
