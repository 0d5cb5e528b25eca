"""Splits rows of costs over the usage that they bill, exactly, in the database engine."""
