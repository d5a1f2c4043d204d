"""Whether what lies outside Atlas answers: the directory, the mail server, and the folder of backups."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from atlas_web.environment import Directory
from backups.folders import Backups
from benchmark_engine.delivery_settings import DeliverySettings
from benchmark_engine.mail import MailServer
from doctor.findings import Check, Finding, broken, doubtful, well

DIRECTORY, MAIL, BACKUPS = "LDAP directory", "mail server", "backups"
DIRECTORY_REMEDY = "Look at ATLAS_LDAP_URL, ATLAS_LDAP_BIND_DN, ATLAS_LDAP_BIND_PASSWORD and ATLAS_LDAP_CA_FILE."
MAIL_REMEDY = "Look at ATLAS_SMTP_URL: host, port, encryption, name and password."
BACKUPS_REMEDY = "Run atlas backup FOLDER, every night."
OLD = timedelta(days=2)


def look_at_directory() -> Iterator[Finding]:
    """Sign in to the directory as the account that searches."""
    from atlas_web.directory import greet  # its packages are there only where a directory is set

    directory = Directory.from_environment()
    greet(directory)
    yield well(DIRECTORY, f"{directory.url} takes {directory.bind_dn or 'anonymous searches'}.")


def look_at_mail() -> Iterator[Finding]:
    """Connect to the mail server, and sign in."""
    server = MailServer.at(DeliverySettings.from_environment().smtp_url)
    server.greet()
    yield well(MAIL, f"{server.host}:{server.port} takes e-mail.")


def check_of_backups(folder: Path) -> Check:
    """The check of how old the newest backup in a folder is."""
    return Check(BACKUPS, lambda: _look_at_backups(folder, datetime.now(UTC)), BACKUPS_REMEDY)


def _look_at_backups(folder: Path, now: datetime) -> Iterator[Finding]:
    made = [backup.manifest.made for backup in Backups(folder).complete()] if folder.exists() else []
    if not made:
        yield broken(BACKUPS, f"There is none in {folder}.", BACKUPS_REMEDY)
        return
    age = now - max(made)
    said = f"The newest was made {age / timedelta(hours=1):.0f} hours ago."
    yield doubtful(BACKUPS, said, BACKUPS_REMEDY) if age > OLD else well(BACKUPS, said)
