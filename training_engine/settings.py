"""The training engine's settings, from the environment."""

from pathlib import Path

from pydantic import Field

from atlas.ingestion import IngestionSettings

ROOT = Path(__file__).resolve().parent.parent


class TrainingSettings(IngestionSettings):
    """Where data come from and bundles go to: the same variables as the servers'."""

    data_dir: Path = Field(ROOT / ".data", description="Folder of everything kept on this machine")
    object_store: str = Field("", description="s3://key:secret@host:port?secure=false, or a folder")

    def objects(self) -> str:
        """The object store's URL or folder."""
        return self.object_store or str(self.data_dir / "objects")
