"""Answers requests as the Usage API does, from the synthetic organization."""
