"""Making an installation ready: its tables, the roles of its processes, its first administrator."""
