"""Answers requests with the data of the synthetic organization, as the Usage API does."""
