"""Secrets that a machine makes for itself, so that nobody has to set them where all of Atlas runs on one machine."""

import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

_RANDOM_BYTES = 50


def kept_secret(path: Path) -> str:
    """The secret that a file keeps, made on first use; only its owner may read it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(path)
    return path.read_text()


def shared_token(data_dir: Path) -> str:
    """What the components on one machine sign in with at its ingestion engine, where no token is set."""
    return kept_secret(data_dir / "ingestion-token")


def _make(path: Path) -> None:
    """Write a secret, whole or not at all; of several processes that start together, the first one's counts."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as made:
        made.write(secrets.token_urlsafe(_RANDOM_BYTES))
        made.flush()
        with suppress(FileExistsError):
            path.hardlink_to(made.name)
