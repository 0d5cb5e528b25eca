"""Shows whether totals are verified, and lists differences, restated figures and the sources of a cell."""
