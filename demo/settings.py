"""The demo's settings, from the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from atlas.settings import Settings


class DemoSettings(Settings):
    """Where the demo's servers listen and how long it has patience."""

    model_config = SettingsConfigDict(env_prefix="ATLAS_DEMO_")

    port: int = Field(0, ge=0, le=65535, description="Port of the dashboard; a free one if unset")
    ingestion_port: int = Field(0, ge=0, le=65535, description="Port of the ingestion engine; a free one if unset")
    minutes: float = Field(15, gt=0, description="How long all benchmarks may take before the demo goes on without")
