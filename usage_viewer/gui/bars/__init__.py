"""Contains the controls above the table: dataset, range, time breakdown, time zone, grouping and filters."""
