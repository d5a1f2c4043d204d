"""What a Dask worker needs to be told."""

from pathlib import Path

from pydantic import Field

from atlas.settings import Settings
from benchmark_engine.sandbox.layers import Bubblewrap


class NodeSettings(Settings):
    """What a Dask worker reads from its own environment, which holds no credentials of the database."""

    object_store: str = Field("", description="s3://key:secret@host:port?secure=false, or a folder that all share")
    bubblewrap: Bubblewrap = Field(
        Bubblewrap.AUTO, description="Whether models run in namespaces of bubblewrap's: `auto`, `required` or `off`"
    )
    trust_bundles: bool = Field(False, description="Run bundles even where the machine cannot contain them")
    cache_mb: int = Field(20_480, ge=1, description="Most disk space of downloaded models and data, in MiB")
    cache_dir: Path | None = Field(None, description="Folder for downloaded models and data")
