"""Answers, fetches and verifies views of one or several organizations."""
