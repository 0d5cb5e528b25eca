"""Runs the demo server: its process, its sockets and the faults that tests ask for."""
