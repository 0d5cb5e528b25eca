"""The synthetic organization: its people, projects, usage and bill."""
