"""The settings with which gunicorn serves the dashboard. They stand apart: gunicorn reads them before Django's."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from atlas.settings import Settings


class ServingSettings(Settings):
    """Where the dashboard listens, and how many requests it answers at a time; gunicorn's own options come first."""

    model_config = SettingsConfigDict(env_prefix="ATLAS_WEB_")

    address: str = Field("127.0.0.1:8000", description="host:port, or unix:PATH, where the dashboard listens")
    workers: int = Field(2, ge=1, le=256, description="Processes that answer requests")
    threads: int = Field(4, ge=1, le=256, description="Requests that each of them answers at a time")
