"""Django settings of the ingestion engine: the other processes' database, addresses of its own, no sessions."""

from pydantic import Field

from atlas.settings import Settings
from atlas_web import settings as shared


class IngestionEnvironment(Settings):
    """What the environment says to the ingestion engine alone."""

    ingestion_store: str = Field(
        "", description="Where the ingestion engine keeps its files: s3://..., or a folder; in the data folder if unset"
    )


def store_url() -> str:
    """The URL or folder of the engine's object store."""
    return IngestionEnvironment.from_environment().ingestion_store or str(shared.ENVIRONMENT.data_dir / "ingestion")


SECRET_KEY = shared.SECRET_KEY
DEBUG = False  # a fault is JSON, never a page with a traceback
ALLOWED_HOSTS = shared.ALLOWED_HOSTS
DATABASES = shared.DATABASES
ATLAS_INGESTION_STORE = store_url()

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
