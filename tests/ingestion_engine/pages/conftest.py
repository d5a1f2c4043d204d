"""The engine's pages within the test's process, with a recording of signals to label."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from atlas.access import Role
from bags import archive
from bags.signals import NANOSECONDS, Channel, Signals
from ingestion_engine import labelling
from ingestion_engine import settings as ingestion_settings
from ingestion_engine.models import Event, Recording
from ingestion_engine.places import object_store
from ingestion_engine.spans import Span
from storage import records
from tests.ingestion_engine import signals
from tests.ingestion_engine.signals import NOW

RATE_HZ = 8000


@dataclass(frozen=True)
class Engine:
    """Somebody who is signed in, and may label."""

    client: Client
    user: User

    def become(self, role: Role) -> None:
        """Have another role from now on."""
        records.set_role(self.user.pk, role)

    def read(self, address: str, *, status: int = 200) -> str:
        """A page."""
        answer = self.client.get(address)
        assert answer.status_code == status, answer.content
        return str(answer.content.decode())

    def send(self, address: str, status: int = 302, **fields: object) -> str:
        """A form; the page that comes back, or the address that it leads to."""
        answer = self.client.post(address, fields)
        assert answer.status_code == status, answer.content
        return str(answer.headers["Location"] if status == 302 else answer.content.decode())


@pytest.fixture
def engine_settings(settings: Settings, tmp_path: Path) -> None:
    """What is otherwise in the engine's process than on the dashboard."""
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "CONTENT_SECURITY_POLICY", "LOGIN_REDIRECT_URL", "FILE_UPLOAD_HANDLERS"):
        setattr(settings, name, getattr(ingestion_settings, name))
    settings.STATIC_ROOT = None
    settings.ATLAS_INGESTION_STORE = str(tmp_path / "ingestion")
    settings.ATLAS_HARMLESS_LABELS = ingestion_settings.ATLAS_HARMLESS_LABELS
    settings.ATLAS_DASHBOARD_URL = "http://dashboard.example"
    settings.ATLAS_INGESTION_PAGES = ""


@pytest.fixture
def engine(db: None, engine_settings: None) -> Engine:
    user = User.objects.create_user("ilse")
    made = Engine(Client(), user)
    made.become(Role.DATA_SCIENTIST)
    made.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return made


def drive(name: str = "drive") -> Recording:
    """Ten seconds of sound that are in the store, and no event."""
    recording = signals.recording(name)
    start_ns = round(NOW.timestamp()) * NANOSECONDS
    samples = np.sin(np.arange(10 * RATE_HZ) / 5).astype(np.float32)
    channel = Channel(name="sound", values=samples, rate_hz=float(RATE_HZ), start_ns=start_ns)
    recording.channels = [{"name": "sound", "samples": len(samples), "dtype": "float32", "rate_hz": float(RATE_HZ)}]
    recording.save()
    with TemporaryDirectory() as folder:
        for path in archive.write(Signals(channels=(channel,)), Path(folder)):
            object_store().put(recording.archive_prefix + path.name, path)
    return recording


def add(recording: Recording, start: float = 1.0, end: float = 1.5, label: str = "dent") -> Event:
    """An event of it."""
    facts = {"start": start, "end": end, "label": label, "car": "Polo", "environment": "rain"}
    return labelling.add_event(recording, store=object_store(), cut=cut, who="jan", now=NOW, **facts)  # type: ignore[arg-type]


def cut(recording: Recording, spans: Sequence[Span]) -> pa.Table:
    """What is cut out of the sound that tests know without reading it."""
    return signals.cut(recording, spans)
