"""What the tests say to the engine."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from atlas.access import Right, Role
from ingestion_engine.models import Recording
from ingestion_engine.places import object_store
from ingestion_engine.receiving import receive
from ingestion_engine.worker import work_once
from storage import records
from storage.objects import ObjectStore

Json = Any


COMPONENTS_TOKEN = "what-components-bear-in-tests"


def token_of_a(role: Role, *scopes: Right) -> str:
    """An API token of somebody of this role, good for all rights unless some are named."""
    owner = User.objects.create_user(f"{role}-{User.objects.count()}".replace(" ", "-"))
    records.set_role(owner.pk, role)
    return records.create_token(owner.pk, "test", scopes or Right, expires=None, now=timezone.now())


class Data(NamedTuple):
    """A response of which all was read."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def work_all(store: ObjectStore | None = None, *, now: datetime | None = None) -> None:
    """Let the worker do all that there is to do."""
    while work_once(store or object_store(), now or timezone.now()):
        pass


def received(store: ObjectStore, path: Path, *, name: str, now: datetime) -> Recording:
    """A file, received as the recording `name` and decoded; no tag has seen it."""
    recording = receive(store, path, name=name, filename=path.name, now=now)
    if not recording.events_count:
        work_once(store, now)
    recording.refresh_from_db()
    return recording


class Api:
    """Calls the API as a data scientist, and remembers nothing."""

    def __init__(self) -> None:
        token = token_of_a(Role.DATA_SCIENTIST)
        self.client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})

    def send(self, name: str, content: str | bytes, *, status: int = 200, state: str = "ready", **form: object) -> Json:
        """Upload a file as the recording `name`, and let the worker do all that there is to do."""
        answer = self.upload(name, content, status=status, **form)
        work_all()
        if status != 200:
            return answer
        description = self.get(f"recordings/{answer['name']}")
        assert description["state"] == state, description
        return description

    def upload(self, name: str, content: str | bytes, *, status: int = 200, **form: object) -> Json:
        """Upload a file as the recording `name`, which then waits."""
        file = SimpleUploadedFile("upload.bin", content.encode() if isinstance(content, str) else content)
        return self._answer("POST", "recordings", {"name": name, "file": file, **form}, status=status)

    def tag(self, name: str, query: str = "", *, status: int = 200) -> Json:
        """Create a tag."""
        body = json.dumps({"name": name, "query": query})
        return self._answer("POST", "tags", body, content_type="application/json", status=status)

    def get(self, path: str, *, status: int = 200) -> Json:
        """What the API says at this path."""
        return self._answer("GET", path, status=status)

    def newest(self, tag: str) -> Json:
        """The description of the newest version of a tag."""
        return self.get(f"datasets/{self.get(f'tags/{tag}')['versions'][-1]['query_id']}")

    def data(self, query_id: str, split: str, **headers: str) -> Data:
        """The data of a split."""
        response = self.client.get(f"/api/v1/datasets/{query_id}/data", {"split": split}, headers=headers)
        return Data(response.status_code, response.headers, response.getvalue())

    def table(self, query_id: str) -> pa.Table:
        """All rows of a version, ordered by event id."""
        parts = [self.data(query_id, split).content for split in ("training", "evaluation")]
        return pa.concat_tables(pa.ipc.open_file(part).read_all() for part in parts).sort_by("id")

    def selected(self, query: str) -> list[str]:
        """The ids of the events that a query selects."""
        tag = self.tag(f"selection-{abs(hash(query))}", query)
        return self.table(tag["versions"][-1]["query_id"])["id"].to_pylist() if tag["versions"] else []

    def _answer(self, method: str, path: str, data: object = None, *, status: int, **options: str) -> Json:
        send = self.client.post if method == "POST" else self.client.get
        response = send(f"/api/v1/{path}", data, **options)  # type: ignore[arg-type]
        assert response.status_code == status, response.content
        assert response.headers["Content-Type"].startswith("application/json")
        return response.json()
