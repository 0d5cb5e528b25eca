"""Compares stored totals with the server's totals."""
