"""The settings that all Django processes of Atlas share."""

from pathlib import Path

from pydantic import Field

from atlas.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


class Environment(Settings):
    """Where things are kept and how the web processes answer. With nothing set, all of it lies in one folder."""

    data_dir: Path = Field(ROOT / ".data", description="Folder of everything kept on this machine")
    database_url: str = Field(
        "", validation_alias="DATABASE_URL", description="PostgreSQL; SQLite in the data folder if unset"
    )
    object_store: str = Field("", description="s3://key:secret@host:port?secure=false, or a folder")
    secret_key: str = Field("", description="Signs sessions; made and kept in the data folder if unset")
    debug: bool = Field(False, description="Show tracebacks in the browser; never on a server that others reach")
    allowed_hosts: list[str] = Field(
        ["localhost", "127.0.0.1", "[::1]"], description="Host names the dashboard answers to"
    )
    csrf_trusted_origins: list[str] = Field(
        [], description='Origins behind a proxy, e.g. ["https://atlas.example.org"]'
    )
    max_upload_mb: int = Field(4096, ge=1, le=1 << 20, description="Largest model that may be sent, in MiB")
    session_days: int = Field(14, ge=1, le=365, description="How long a person stays signed in")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is printed")

    def database(self) -> str:
        """The database's URL: PostgreSQL if one is set, else a SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'atlas.sqlite3'}"

    def objects(self) -> str:
        """The object store's URL or folder."""
        return self.object_store or str(self.data_dir / "objects")
