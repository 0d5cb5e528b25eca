"""Organizations: their names, servers, keys and files."""
