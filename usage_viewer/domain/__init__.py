"""Plain Python without I/O: datasets, periods, view state, tables, errors."""
