"""The current view with its result and its fetch; the bridge between threads."""
