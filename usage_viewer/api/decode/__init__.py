"""Decodes the pages of the Usage API into columns."""
