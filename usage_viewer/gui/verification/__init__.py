"""Shows whether totals are verified, and lists of changes and contributions."""
