"""What is known of Atlas' own running, in all processes that serve pages: ids, metrics, health, traces."""
