from django.apps import AppConfig


class StorageConfig(AppConfig):
    """The tables of Atlas and every access to them."""

    name = "storage"
    verbose_name = "Storage"
