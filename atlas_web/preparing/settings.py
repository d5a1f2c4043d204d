"""What `manage.py prepare` is told by the environment."""

from collections.abc import Iterable

from pydantic import Field

from atlas.settings import Settings
from storage.grants import Component
from storage.policies import USERS


class PreparationSettings(Settings):
    """How long to wait for the servers, how the components sign in to them, and who administers Atlas first."""

    prepare_seconds: float = Field(
        60.0, gt=0, description="How long `manage.py prepare` waits for the database and the object store"
    )
    database_url_dashboard: str = Field("", repr=False, description="How the dashboard signs in to the database")
    database_url_engine: str = Field("", repr=False, description="How the benchmark engine does")
    database_url_ingestion: str = Field("", repr=False, description="How the ingestion engine does")
    database_url_messenger: str = Field("", repr=False, description="How the messenger does")
    database_url_backup: str = Field("", repr=False, description="How backups do")
    object_store_admin: str = Field("", repr=False, description="Who adds users to the object store, as s3://...")
    object_store_dashboard: str = Field("", repr=False, description="How the dashboard signs in to the object store")
    object_store_engine: str = Field("", repr=False, description="How the benchmark engine does")
    object_store_ingestion: str = Field("", repr=False, description="How the ingestion engine does, and its bucket")
    object_store_backup: str = Field("", repr=False, description="How backups do")
    admin_name: str = Field("", max_length=150, description="Name of the first administrator")
    admin_password: str = Field("", repr=False, description="Password of the first administrator")
    admin_email: str = Field("", description="E-mail address of the first administrator")

    @property
    def database_urls(self) -> dict[Component, str]:
        """How the components sign in to the database, of those that are named."""
        return self._given("database_url", Component)

    @property
    def object_stores(self) -> dict[Component, str]:
        """How the components sign in to the object store, of those that are named."""
        return self._given("object_store", USERS)

    def _given(self, what: str, components: Iterable[Component]) -> dict[Component, str]:
        urls = {component: str(getattr(self, f"{what}_{component}")) for component in components}
        return {component: url for component, url in urls.items() if url}
