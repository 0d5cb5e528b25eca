"""Keeps the computed dataset spend up to date, and fetches what it is computed from."""
