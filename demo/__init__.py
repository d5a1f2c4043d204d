"""All of Atlas on one machine, with real data: what `make demo` runs."""
