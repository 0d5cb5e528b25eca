"""Answers views and fetches for one or several organizations."""
