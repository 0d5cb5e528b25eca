"""Manages organizations: their names, servers, keys and files."""
