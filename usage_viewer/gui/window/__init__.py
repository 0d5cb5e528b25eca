"""The main window: its pages, actions, commands and status bars."""
