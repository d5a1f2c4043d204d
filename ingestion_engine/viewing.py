"""`atlas bag view`: the viewer's page for one file on this computer, with no server set up and nothing kept."""

import signal
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

import bags
from atlas.errors import AtlasError
from atlas.terminal import console, printable
from bags import archive
from bags.archive import Archive
from ui import formats

HOST = "127.0.0.1"
THREADS = 8
ADDRESSES = {
    "envelope": "/envelope",
    "sound": "/sound.wav",
    "spectrogram": "/spectrogram",
    "statistics": "/statistics",
    "export": "/export",
}

app = typer.Typer(add_completion=False)


class PortError(AtlasError):
    """The port is not free."""


@app.command()
def view(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A bag, MCAP, WAV, FLAC, OGG, CSV or Parquet file.")
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="To serve the page on; 0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Look at a recording in the browser: plots, spectrograms, sound, statistics, export.

    The page is served on this computer alone until Ctrl-C; what was decoded is removed then.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a session that ends stops it as Ctrl-C does
    with tempfile.TemporaryDirectory(prefix="atlas-view-") as name:
        found = decoded(file, Path(name))
        with _server(file, found, port) as server:
            address = f"http://{HOST}:{server.effective_port}/"
            console().print(f"{printable(file.name)} is at {address} until Ctrl-C.", soft_wrap=True)
            if browser:
                webbrowser.open(address)
            server.run()


def decoded(file: Path, folder: Path) -> Archive:
    """The signals of a file, in a folder that exists; only the archive is left in there.

    Raises:
        UnreadableError: nothing of it can be read.
        ArchiveError: it has no signals.
    """
    with _step(f"Reading {printable(file.name)}"), tempfile.TemporaryDirectory(prefix="raw-", dir=folder) as raw:
        found = bags.read(file, Path(raw))
        if not found.channels:
            raise archive.ArchiveError(" ".join(["the file has no signals.", *found.losses]))
        with _step("Making it quick to look at"):
            archive.write(found, folder)
    return archive.in_folder(folder)


@contextmanager
def _step(what: str) -> Iterator[None]:
    """Says what is done and for how long, on standard error while that is a terminal."""
    screen = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        bar.add_task(what, total=None)
        yield


@contextmanager
def _server(file: Path, found: Archive, port: int) -> Iterator[Any]:
    import waitress

    application = _application(file, found)
    try:
        server = waitress.create_server(application, host=HOST, port=port, threads=THREADS)
    except OSError as error:
        raise PortError(
            f"port {port} cannot be used: {error.strerror}; leave --port away to take a free one"
        ) from error
    try:
        yield server
    finally:
        server.close()


def _application(file: Path, found: Archive) -> Any:
    """The page as a WSGI application: Django with settings of its own."""
    import django
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler

    settings.configure(**_settings())
    django.setup()
    from ingestion_engine.pages.opened import Opened

    seconds = formats.duration(found.duration_seconds)
    facts = [("File", file.name), ("Size", formats.size(file.stat().st_size)), ("Duration", seconds)]
    settings.ATLAS_OPENED = Opened(name=file.stem, archive=found, addresses=ADDRESSES, facts=facts)
    return WSGIHandler()


def _settings() -> dict[str, Any]:
    """No database, no sign-in, no cookies; other pages cannot reach it by a name that leads here."""
    own = ["'self'"]
    return {
        "ALLOWED_HOSTS": [HOST, "localhost"],
        "CONTENT_SECURITY_POLICY": {
            "DIRECTIVES": {"default-src": own, "img-src": [*own, "data:"], "base-uri": ["'none'"]}
        },
        "DEFAULT_CHARSET": "utf-8",
        "INSTALLED_APPS": [
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.staticfiles",
            "csp",
            "django_htmx",
            "ui",
            "ingestion_engine",
        ],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "csp.middleware.CSPMiddleware",
            "whitenoise.middleware.WhiteNoiseMiddleware",
            "django.middleware.common.CommonMiddleware",  # refuses hosts of other names
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        "ROOT_URLCONF": "ingestion_engine.viewing_pages",
        "SECRET_KEY": "nothing is signed",
        "STATIC_URL": "static/",
        "STATICFILES_FINDERS": [
            "django.contrib.staticfiles.finders.AppDirectoriesFinder",
            "ui.finders.VendorFinder",
        ],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        "USE_TZ": True,
        "WHITENOISE_USE_FINDERS": True,
    }
