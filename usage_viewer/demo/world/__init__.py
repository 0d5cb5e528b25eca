"""Generates the synthetic organization: its people, projects, usage and costs."""
