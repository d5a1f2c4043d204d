"""Django settings of the dashboard, and of every process that reads or writes Atlas' tables."""

from datetime import timedelta
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.contrib.messages import constants as messages

from atlas.errors import SettingsError
from atlas.kept_secret import kept_secret
from atlas.logs import configuration
from atlas_web.environment import Directory, Environment

DATABASE_FORM = "postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE, or sqlite:///FILE"
ENVIRONMENT = Environment.from_environment()
DIRECTORY = Directory.from_environment()
ENVIRONMENT.data_dir.mkdir(parents=True, exist_ok=True)


def _secret_key() -> str:
    """The configured key, or one made on first use: sessions then outlive a restart on a single machine."""
    return ENVIRONMENT.secret_key or kept_secret(ENVIRONMENT.data_dir / "secret-key")


def _database() -> dict[str, object]:
    try:
        parsed = dj_database_url.parse(ENVIRONMENT.database(), conn_max_age=60, conn_health_checks=True)
    except ValueError as error:
        raise SettingsError(f"DATABASE_URL: {error}; it must look like {DATABASE_FORM}") from error
    config: dict[str, Any] = dict(parsed)
    if config["ENGINE"] == "django.db.backends.sqlite3":
        # Several processes write: WAL lets readers go on, and a writer takes its lock at once and waits its turn.
        config["OPTIONS"] = {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
        }
    else:
        # A server that vanished without a word must not keep a request waiting for minutes. The URL may say otherwise.
        config["OPTIONS"] = {"connect_timeout": 5, "tcp_user_timeout": 30_000} | config.get("OPTIONS", {})
    return config


def _directory() -> dict[str, object]:
    """The settings of django-auth-ldap, if there is a directory.

    Raises:
        SettingsError: there is one, but the packages that speak with it are not installed.
    """
    if not DIRECTORY.url:
        return {}
    try:
        from atlas_web.ldap_settings import django_settings
    except ImportError as missing:
        raise SettingsError(
            f"ATLAS_LDAP_URL is set, but {missing.name} is not installed: pip install 'atlas-benchmark[ldap]'"
        ) from missing
    return django_settings(DIRECTORY)


SECRET_KEY = _secret_key()
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
CSRF_TRUSTED_ORIGINS = ENVIRONMENT.csrf_trusted_origins
DATABASES = {"default": _database()}
ATLAS_OBJECT_STORE = ENVIRONMENT.objects()
ATLAS_MAX_UPLOAD_BYTES = ENVIRONMENT.max_upload_mb << 20
ATLAS_METRICS_TOKEN = ENVIRONMENT.metrics_token
ATLAS_INGESTION_PAGES = ENVIRONMENT.ingestion_pages
FILE_UPLOAD_HANDLERS = [
    "atlas_web.upload_limit.LimitedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

INSTALLED_APPS = [
    "atlas_web.apps.AtlasAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "ninja",
    "ui",
    "storage",
    "atlas_web.apps.AtlasWebConfig",
    "benchmark_engine",
    "ingestion_engine",
    "training_engine",
]
MIDDLEWARE = [
    "telemetry.requests.identified",
    "telemetry.requests.measured",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "atlas_web.headers.HeadersMiddleware",
    "atlas_web.api.problems.speaks_api",  # what it answers in the place of others needs the headers too
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "atlas_web.urls"
WSGI_APPLICATION = "atlas_web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ui.access.rights",
                "atlas_web.menu_counts.menu_counts",
            ],
        },
    },
]

# Local accounts come first: their passwords never reach the directory, and they work when it does not answer.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    *(["atlas_web.directory.DirectoryBackend"] if DIRECTORY.url else []),
    "ui.access.RoleBackend",
]
AXES_FAILURE_LIMIT = ENVIRONMENT.sign_in_failures
AXES_COOLOFF_TIME = timedelta(minutes=ENVIRONMENT.lockout_minutes)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # the audit log keeps who signed in
AXES_ENABLE_ADMIN = False  # Atlas shows failed sign-ins among its own tables
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "atlas_web.lockout.address_of"
AXES_USERNAME_CALLABLE = "atlas_web.lockout.name_of"
AXES_LOCKOUT_CALLABLE = "atlas_web.lockout.locked_out"
globals().update(_directory())
ATLAS_PROXIES = ENVIRONMENT.proxies

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = ENVIRONMENT.session_days * 24 * 3600
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = ENVIRONMENT.https
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if ENVIRONMENT.https else 0
if ENVIRONMENT.proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Whether https is forced on other hosts below this one's name is not for Atlas to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
DATA_UPLOAD_MAX_MEMORY_SIZE = ENVIRONMENT.request_mb * 1024**2
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "static/"
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.AppDirectoriesFinder", "ui.finders.VendorFinder"]
# Collected files are compressed, and browsers keep them under names that tell their content; others are served as is.
STATIC_ROOT = ENVIRONMENT.static_dir
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DJANGO_TABLES2_TEMPLATE = "components/data_table.html"
MESSAGE_TAGS = {messages.ERROR: "bad", messages.WARNING: "warn", messages.SUCCESS: "ok", messages.INFO: "info"}

LOGGING = configuration(ENVIRONMENT, "dashboard")
