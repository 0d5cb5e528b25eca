"""Use cases that every face shares: the session and its verbs, sync, settings, exports."""
