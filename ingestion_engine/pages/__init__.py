"""What people see of the ingestion engine: recordings to label, tags and their dataset versions."""
