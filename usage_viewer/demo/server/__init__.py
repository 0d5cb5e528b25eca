"""Runs the stand-in server: its sockets, its faults and its process."""
