"""What earlier releases left is all there after an upgrade, in either database."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

from atlas.datasets import DatasetDescription
from atlas.states import ModelState, State
from atlas.watching import InferenceKind
from ingestion_engine import settings as ingestion_settings
from ingestion_engine.models import Recording, Tag, Version
from storage.models import Alert, Benchmark, DatasetTag, Inference, Model
from tests.migrated import new_database
from tests.upgrade import kept

NEVER_FILLED = ("axes_", "django_", "sqlite_", "auth_user_user_permissions", "auth_group_permissions")
"""Tables that begin so hold failed sign-ins, which are forgotten anyway, and what Atlas does not use."""
CHANGED: dict[str, set[str]] = {}
"""By table, the fields that a later release keeps in another way. Say there how, and what tests it."""
LISTS = [
    "/",
    "/models/",
    "/benchmarks/",
    "/datasets/",
    "/matrix/",
    "/leaderboard/",
    "/alchemy/",
    "/predict/",
    "/predict/history/",
    "/gates/",
    "/gates/history/",
    "/alerts/",
    "/alerts/rules/",
    "/alerts/channels/",
    "/logs/",
    "/audit/",
    "/administration/",
    "/administration/queue/",
    "/administration/orphans/",
    "/account/",
    "/upload/",
    "/search/?q=Dents",
]


@dataclass(frozen=True)
class Upgraded:
    """An installation of an earlier release after the upgrade: what it had in its tables, and where its files are."""

    release: Path
    before: kept.Rows
    folder: Path


@pytest.fixture(
    scope="module",
    params=[(release, database) for release in kept.RELEASES for database in ("sqlite", "postgresql")],
    ids=lambda chosen: f"{chosen[0].name}-{chosen[1]}",
)
def upgraded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Upgraded]:
    release, database = request.param
    folder = tmp_path_factory.mktemp("upgraded")
    kept.put_objects(release, folder)
    if database == "sqlite":
        url = kept.put_sqlite(release, folder)
    else:
        server = request.getfixturevalue("postgres_url")
        url = kept.put_postgresql(release, new_database(server, f"upgraded_{release.name}".replace(".", "_")))
    with django_db_blocker.unblock(), kept.connected(url):
        call_command("migrate", interactive=False, verbosity=0)
        yield Upgraded(release=release, before=kept.rows_of(release), folder=folder)


@pytest.fixture
def stores(upgraded: Upgraded, settings: Settings) -> None:
    settings.ATLAS_OBJECT_STORE = str(upgraded.folder / "objects")
    settings.ATLAS_INGESTION_STORE = str(upgraded.folder / "ingestion")
    settings.ATLAS_INGESTION_TURNS = str(upgraded.folder / "turns")
    settings.STATIC_ROOT = None


@pytest.fixture
def person(upgraded: Upgraded, stores: None) -> Client:
    """The administrator that the installation had."""
    client = Client()
    client.force_login(User.objects.get(username="ilse"))
    return client


@pytest.mark.parametrize("release", kept.RELEASES, ids=lambda release: release.name)
def test_every_table_of_the_release_was_filled(release: Path, tmp_path: Path) -> None:
    empty = [name for name in kept.empty_tables(release, tmp_path) if not name.startswith(NEVER_FILLED)]
    assert empty == []


def test_every_row_and_value_is_still_there(upgraded: Upgraded) -> None:
    now = kept.rows_now()
    assert upgraded.before.keys() - now.keys() == set()
    lost = Counter(
        (model, field)
        for (model, pk), fields in upgraded.before.items()
        for field, value in fields.items()
        if field not in CHANGED.get(model, ()) and now[model, pk].get(field) != value
    )
    assert lost == {}


def test_every_page_shows_what_was_there(upgraded: Upgraded, person: Client) -> None:
    addresses = [*LISTS, *_pages_of_rows()]
    assert {address for address in addresses if _status(person, address) != 200} == set()


def _status(person: Client, address: str) -> int:
    with closing(person.get(address, follow=True)) as answer:
        return int(answer.status_code)


def _pages_of_rows() -> Iterator[str]:
    """One page of each kind for each row that has one."""
    for model in Model.objects.filter(state=ModelState.READY):
        yield from (f"/models/{model.pk}/{page}" for page in ("", "gate/", "drift/", "live/", "report/"))
    for benchmark in Benchmark.objects.all():
        yield f"/benchmarks/{benchmark.pk}/"
    for benchmark in Benchmark.objects.filter(state=State.DONE)[:2]:
        yield from (f"/benchmarks/{benchmark.pk}/{page}" for page in ("predictions/", "explanation/", "events/"))
    for tag in DatasetTag.objects.all():
        yield from (f"/datasets/{tag.name}/", f"/datasets/{tag.name}/drift/")
    yield from (f"/alerts/{alert.pk}/" for alert in Alert.objects.all())
    yield from (f"/predict/{inference.pk}/" for inference in Inference.objects.filter(kind=InferenceKind.ON_DEMAND))


def test_the_files_of_models_are_what_was_sent(upgraded: Upgraded, person: Client) -> None:
    models = Model.objects.filter(state=ModelState.READY)
    for model in models:
        content = person.get(f"/models/{model.pk}/file/").getvalue()
        assert hashlib.sha256(content).hexdigest() == model.digest
    assert len(models) >= 3


def test_recordings_tags_and_versions_are_served_with_the_digests_that_they_had(
    upgraded: Upgraded, person: Client, settings: Settings
) -> None:
    settings.ROOT_URLCONF, settings.MIDDLEWARE = ingestion_settings.ROOT_URLCONF, ingestion_settings.MIDDLEWARE
    pages = [f"/recordings/{recording.name}/" for recording in Recording.objects.all()]
    pages += [f"/tags/{tag.name}/" for tag in Tag.objects.all()]
    for version in Version.objects.all():
        pages.append(f"/versions/{version.query_id}/")
        described = DatasetDescription.model_validate_json(version.description)
        assert described.digest == version.digest
        for split, file in described.splits.items():
            answer = person.get(f"/api/v1/datasets/{version.query_id}/data?split={split}")
            assert hashlib.sha256(answer.getvalue()).hexdigest() == file.sha256
    assert {address for address in pages if _status(person, address) != 200} == set()


def test_all_tables_of_this_release_can_be_read(upgraded: Upgraded) -> None:
    for model in apps.get_models():
        list(model._default_manager.all()[:3])
