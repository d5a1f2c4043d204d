from django.apps import AppConfig


class IngestionEngineConfig(AppConfig):
    """The reference data ingestion engine: its tables are read by nobody else."""

    name = "ingestion_engine"
    verbose_name = "Data ingestion engine"
