"""Starts Qt, paints the first window early, allows one instance, handles exceptions and takes screenshots."""
