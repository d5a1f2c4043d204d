"""Django settings of the ingestion engine: those of the dashboard, so that one sign-in holds for both, and its own.

Both have the same database, key and cookies, rules for signing in, and policy for what pages may load.
"""

from typing import Any

from csp.constants import SELF
from pydantic import Field, ValidationInfo, field_validator

from atlas.kept_secret import shared_token
from atlas.logs import configuration
from atlas.settings import Settings
from atlas_web import settings as shared
from atlas_web.settings import *  # noqa: F403

LEAST_TOKEN = 20
"""The fewest characters of the token that components bear."""


class IngestionEnvironment(Settings):
    """What the environment says to the ingestion engine alone."""

    ingestion_store: str = Field(
        "", description="Where the ingestion engine keeps its files: s3://..., or a folder; in the data folder if unset"
    )
    ingestion_inbox: str = Field("", description="A folder or s3://... from which recordings are taken in")
    decode_memory_mb: int = Field(4096, ge=256, description="Most memory for decoding a recording, in MB")
    decode_seconds: float = Field(3600.0, gt=0, description="Most time for decoding a recording")
    webhooks: str = Field(
        "",
        pattern=r"^(https?://[^\s,]+(\s*,\s*https?://[^\s,]+)*)?$",
        description="Addresses that are told of new versions, with commas between them",
    )
    harmless_labels: str = Field(
        "none,no damage,undamaged,normal,background",
        description="Labels of events without damage, in any case of letters, with commas between them",
    )
    webhook_secret: str = Field("", validate_default=True, repr=False, description="What announcements are signed with")
    ingestion_token: str = Field(
        "", repr=False, description="What Atlas' components bear; made and kept in the data folder if unset"
    )
    dashboard_url: str = Field(
        "http://127.0.0.1:8000", description="Where people find the dashboard; no link leads there if it is empty"
    )

    @field_validator("webhook_secret")
    @classmethod
    def _is_there_if_needed(cls, secret: str, info: ValidationInfo) -> str:
        if info.data.get("webhooks") and not secret:
            raise ValueError("it is needed where ATLAS_WEBHOOKS is set")
        return secret

    @field_validator("ingestion_token")
    @classmethod
    def _cannot_be_guessed(cls, token: str) -> str:
        if token and (len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
            raise ValueError(
                f"it has to be at least {LEAST_TOKEN} letters, digits and signs without a space, "
                "such as `openssl rand -hex 32` prints"
            )
        return token

    @property
    def webhook_urls(self) -> tuple[str, ...]:
        """The addresses, one by one."""
        return tuple(filter(None, map(str.strip, self.webhooks.split(","))))

    @property
    def harmless(self) -> tuple[str, ...]:
        """The labels of events without damage, one by one."""
        return tuple(filter(None, map(str.strip, self.harmless_labels.split(","))))


def store_url() -> str:
    """The URL or folder of the engine's object store."""
    return OWN.ingestion_store or str(shared.ENVIRONMENT.data_dir / "ingestion")


def _durable(database: dict[str, Any]) -> dict[str, Any]:
    """The database, so that what was acknowledged outlives a power cut: SQLite promises that only if it is asked to."""
    options = dict(database.get("OPTIONS", {}))
    if "init_command" in options:
        options["init_command"] = options["init_command"].replace("synchronous=NORMAL", "synchronous=FULL")
    return {**database, "OPTIONS": options}


OWN = IngestionEnvironment.from_environment()
DEBUG = False  # a fault is JSON, or a page that says so, never one with a traceback
ATLAS_INGESTION_STORE = store_url()
ATLAS_INGESTION_TURNS = str(shared.ENVIRONMENT.data_dir / "turns")
DATABASES = {"default": _durable(shared.DATABASES["default"])}
ATLAS_HARMLESS_LABELS = OWN.harmless
ATLAS_INGESTION_TOKEN = OWN.ingestion_token or shared_token(shared.ENVIRONMENT.data_dir)
ATLAS_WEBHOOKS = OWN.webhook_urls
ATLAS_WEBHOOK_SECRET = OWN.webhook_secret
ATLAS_DASHBOARD_URL = OWN.dashboard_url
ATLAS_INGESTION_PAGES = ""

# The app of the dashboard brings the sign-in page, the wait after failures, the audit log of both, and pages of faults.
NOT_SERVED = {"atlas_web.apps.AtlasAdminConfig", "benchmark_engine", "training_engine"}
INSTALLED_APPS = [app for app in shared.INSTALLED_APPS if app not in NOT_SERVED]
FILE_UPLOAD_HANDLERS = [handler for handler in shared.FILE_UPLOAD_HANDLERS if not handler.startswith("atlas_web")]
MIDDLEWARE = [
    "ingestion_engine.middleware.faults_as_json" if each == "atlas_web.api.problems.speaks_api" else each
    for each in shared.MIDDLEWARE
]
ROOT_URLCONF = "ingestion_engine.urls"
WSGI_APPLICATION = "ingestion_engine.wsgi.application"
LOGIN_REDIRECT_URL = "recordings"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**shared.CONTENT_SECURITY_POLICY["DIRECTIVES"], "media-src": [SELF]}}
LOGGING = configuration(shared.ENVIRONMENT, "ingestion")
SECURE_SSL_REDIRECT = False  # programs within the network ask by plain http
