"""Builds the packaged program for Linux: what is in it, its licences, its list of parts, and the Debian package."""
