"""Compares the bill with the usage, and shows what each line item costs and means."""
