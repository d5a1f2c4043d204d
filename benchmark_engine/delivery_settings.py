"""The settings of whoever sends alerts: an engine, or the messenger."""

from datetime import timedelta
from email.utils import parseaddr

from pydantic import Field, ValidationInfo, field_validator

from atlas.settings import Settings
from benchmark_engine.mail import MailServer


class DeliverySettings(Settings):
    """Where alerts are handed in, what they say, and how long one is tried."""

    smtp_url: str = Field(
        "", repr=False, description="Server that takes alerts as e-mail: smtp://user:password@host:port; none if unset"
    )
    mail_from: str = Field("", validate_default=True, description="Who e-mail is from")
    dashboard_url: str = Field(
        "http://127.0.0.1:8000", pattern=r"^https?://\S+$", description="Where people find the dashboard"
    )
    lease_seconds: float = Field(30.0, ge=1, description="What a silent process did is then done by another")
    retry_seconds: float = Field(10.0, ge=0, le=600, description="Wait before the second try; doubled before each more")

    @field_validator("smtp_url")
    @classmethod
    def _names_a_server(cls, url: str) -> str:
        if url:
            MailServer.at(url)
        return url

    @field_validator("mail_from")
    @classmethod
    def _is_an_address_if_needed(cls, sender: str, info: ValidationInfo) -> str:
        if info.data.get("smtp_url") and "@" not in parseaddr(sender)[1]:
            raise ValueError("an address such as atlas@example.org is needed where ATLAS_SMTP_URL is set")
        return sender

    @property
    def first_wait(self) -> timedelta:
        """Before the second try of anything."""
        return timedelta(seconds=self.retry_seconds)

    @property
    def lease(self) -> timedelta:
        """How long a claim holds without a sign of life."""
        return timedelta(seconds=self.lease_seconds)
