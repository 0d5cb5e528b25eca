"""Holds the plain data of the program, without I/O: datasets, periods, view state, tables, errors."""
