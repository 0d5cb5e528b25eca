"""General widgets that know nothing of usage."""
