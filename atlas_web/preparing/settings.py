"""What `manage.py prepare` is told by the environment."""

from pydantic import Field

from atlas.settings import Settings


class PreparationSettings(Settings):
    """How long to wait for the servers, and who administers Atlas first."""

    prepare_seconds: float = Field(
        60.0, gt=0, description="How long `manage.py prepare` waits for the database and the object store"
    )
    admin_name: str = Field("", max_length=150, description="Name of the first administrator")
    admin_password: str = Field("", repr=False, description="Password of the first administrator")
    admin_email: str = Field("", description="E-mail address of the first administrator")
