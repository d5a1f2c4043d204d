"""The settings that all Django processes of Atlas share."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, FilePath
from pydantic_settings import SettingsConfigDict

from atlas.access import Role
from atlas.logs import LogSettings
from atlas.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


class Environment(LogSettings):
    """Where things are kept and how the web processes answer. With nothing set, all of it lies in one folder."""

    data_dir: Path = Field(ROOT / ".data", description="Folder of everything kept on this machine")
    database_url: str = Field(
        "", validation_alias="DATABASE_URL", description="PostgreSQL; SQLite in the data folder if unset"
    )
    object_store: str = Field("", description="s3://key:secret@host:port?secure=false, or a folder")
    static_dir: Path | None = Field(
        None, description="Folder that collectstatic fills with compressed files; served as they are if unset"
    )
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
    https: bool = Field(
        False, description="Whether people reach the dashboard by https only; cookies then never go by http"
    )
    proxies: int = Field(0, ge=0, le=10, description="How many proxies that add to X-Forwarded-For stand in front")
    request_mb: int = Field(10, ge=1, description="Largest form or part of an upload, in MiB")
    ingestion_pages: str = Field(
        "http://127.0.0.1:8100",
        description="Where people find the ingestion engine's pages; no link leads there if it is empty",
    )
    sign_in_failures: int = Field(10, ge=1, description="Failed sign-ins of a name at an address, before both wait")
    lockout_minutes: int = Field(15, ge=1, description="How long they wait")
    metrics_token: str = Field(
        "", repr=False, description="What Prometheus shows to read /metrics; without it there is no such address"
    )

    def database(self) -> str:
        """The database's URL: PostgreSQL if one is set, else a SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'atlas.sqlite3'}"

    def objects(self) -> str:
        """The object store's URL or folder."""
        return self.object_store or str(self.data_dir / "objects")


class GroupKind(StrEnum):
    """How a directory's groups name their members."""

    GROUP_OF_NAMES = "groupOfNames"
    GROUP_OF_UNIQUE_NAMES = "groupOfUniqueNames"
    POSIX_GROUP = "posixGroup"
    ACTIVE_DIRECTORY = "activeDirectory"
    """Groups may be members of groups."""


class Directory(Settings):
    """The LDAP directory whose people may sign in, if there is one."""

    model_config = SettingsConfigDict(env_prefix="ATLAS_LDAP_")

    url: str = Field("", pattern="^(ldaps?://.+)?$", description="ldap://host or ldaps://host; no directory if unset")
    start_tls: bool = Field(False, description="Encrypt ldap:// before anything is said")
    ca_file: FilePath | None = Field(None, description="Certificates that the server's is checked with")
    timeout_seconds: int = Field(5, ge=1, le=60, description="How long one answer may take")
    bind_dn: str = Field("", description="Who searches; anonymous if unset")
    bind_password: str = Field("", description="The password of that account")
    users: str = Field("", description="Below which entry people are searched")
    user_filter: str = Field("(uid=%(user)s)", pattern=r"%\(user\)s", description="How they are found by their name")
    first_name: str = Field("givenName", description="Attribute with a person's first name")
    last_name: str = Field("sn", description="Attribute with a person's last name")
    email: str = Field("mail", description="Attribute with a person's e-mail address")
    groups: str = Field("", description="Below which entry groups are searched")
    group_filter: str = Field("(objectClass=*)", description="Which entries there are groups")
    group_kind: GroupKind = Field(GroupKind.GROUP_OF_NAMES, description="How groups name their members")
    viewers: str = Field("", description="Group of those who may sign in at all; everybody who is found if unset")
    data_scientists: str = Field("", description="Group of the data scientists")
    administrators: str = Field("", description="Group of the administrators")

    @property
    def roles(self) -> dict[Role, str]:
        """The distinguished name of the group of each role, the least role first; empty where there is none."""
        return {
            Role.VIEWER: self.viewers,
            Role.DATA_SCIENTIST: self.data_scientists,
            Role.ADMINISTRATOR: self.administrators,
        }
