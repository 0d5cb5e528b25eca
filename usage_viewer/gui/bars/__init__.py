"""The controls above the table: dataset, range, period, zone, grouping and filters."""
