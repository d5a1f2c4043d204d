"""Django settings of the ingestion engine: the other processes' database, addresses of its own, no sessions."""

from pydantic import Field, ValidationInfo, field_validator

from atlas.settings import Settings
from atlas_web import settings as shared


class IngestionEnvironment(Settings):
    """What the environment says to the ingestion engine alone."""

    ingestion_store: str = Field(
        "", description="Where the ingestion engine keeps its files: s3://..., or a folder; in the data folder if unset"
    )
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

    @field_validator("webhook_secret")
    @classmethod
    def _is_there_if_needed(cls, secret: str, info: ValidationInfo) -> str:
        if info.data.get("webhooks") and not secret:
            raise ValueError("it is needed where ATLAS_WEBHOOKS is set")
        return secret

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
    return ENVIRONMENT.ingestion_store or str(shared.ENVIRONMENT.data_dir / "ingestion")


ENVIRONMENT = IngestionEnvironment.from_environment()
SECRET_KEY = shared.SECRET_KEY
DEBUG = False  # a fault is JSON, never a page with a traceback
ALLOWED_HOSTS = shared.ALLOWED_HOSTS
DATABASES = shared.DATABASES
ATLAS_INGESTION_STORE = store_url()
ATLAS_HARMLESS_LABELS = ENVIRONMENT.harmless
ATLAS_WEBHOOKS = ENVIRONMENT.webhook_urls
ATLAS_WEBHOOK_SECRET = ENVIRONMENT.webhook_secret

INSTALLED_APPS = ["whitenoise.runserver_nostatic", "django.contrib.staticfiles", "ninja", "ingestion_engine"]
MIDDLEWARE = [
    "ingestion_engine.middleware.faults_as_json",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "ingestion_engine.urls"
WSGI_APPLICATION = "ingestion_engine.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

LANGUAGE_CODE = shared.LANGUAGE_CODE
TIME_ZONE = shared.TIME_ZONE
USE_TZ = shared.USE_TZ
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
DEFAULT_AUTO_FIELD = shared.DEFAULT_AUTO_FIELD
LOGGING = shared.LOGGING
