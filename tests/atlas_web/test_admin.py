"""Django's admin: everything can be seen, and nothing that the engine relies on can be changed."""

import html
from typing import cast

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from atlas.limits import ModelLimits
from atlas.states import State
from storage.catalog import assignment
from storage.models import Author, Benchmark, DatasetTag, Model
from tests import stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def benchmark() -> int:
    return stage.finish(stage.add_model(), stage.add_version())


@pytest.mark.usefixtures("benchmark")
@pytest.mark.parametrize(
    "table", sorted(model._meta.model_name or "" for model in apps.get_app_config("storage").get_models())
)
def test_every_table_can_be_listed_and_searched(root: Client, table: str) -> None:
    assert root.get(f"/admin/storage/{table}/").status_code == 200
    assert root.get(f"/admin/storage/{table}/?q=forest").status_code in {200, 302}


def test_a_benchmark_s_state_cannot_be_changed_but_its_priority_can(root: Client, benchmark: int) -> None:
    page = f"/admin/storage/benchmark/{benchmark}/change/"
    assert b'name="state"' not in root.get(page).content
    assert root.post(page, {"priority": 5, "state": State.QUEUED, "claim": "mine"}).status_code == 302
    row = Benchmark.objects.get(pk=benchmark)
    assert (row.priority, row.state, row.claim) == (5, State.DONE, "")


@pytest.mark.parametrize("table", ["benchmark", "model", "datasetversion", "metric", "logentry"])
def test_nobody_adds_what_the_engine_writes(root: Client, table: str) -> None:
    assert root.get(f"/admin/storage/{table}/add/").status_code == 403


def test_a_model_can_get_another_tag_but_no_other_digest(root: Client, benchmark: int) -> None:
    model = Model.objects.get()
    winter = DatasetTag.objects.create(name="winter")
    author = Author.objects.get()
    fields = {"tags": [winter.pk], "use_case": "dent finder", "author": author.pk, "digest": "0", "state": "invalid"}
    assert root.post(f"/admin/storage/model/{model.pk}/change/", fields).status_code == 302
    changed = Model.objects.get()
    assert [tag.name for tag in changed.tags.all()] == ["winter"]
    assert (changed.use_case, changed.digest, changed.state) == ("dent finder", model.digest, "ready")


def grant(root: Client, model: Model, limits: str) -> HttpResponse:
    fields = {"tags": [tag.pk for tag in model.tags.all()], "use_case": model.use_case, "granted_limits": limits}
    assert model.author is not None
    page = f"/admin/storage/model/{model.pk}/change/"
    return cast(HttpResponse, root.post(page, fields | {"author": model.author.pk}))


def test_an_administrator_grants_a_model_more_than_the_settings_do(root: Client, benchmark: int) -> None:
    model = Model.objects.get()
    assert grant(root, model, '{"wall_seconds": 7200, "memory_mb": 16384}').status_code == 302
    granted = ModelLimits(wall_seconds=7200, memory_mb=16384)
    assert assignment(benchmark).model.granted == granted
    assert grant(root, model, "{}").status_code == 302
    assert assignment(benchmark).model.granted == ModelLimits()


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ('{"memory": 5}', "memory: no such field"),
        ('{"wall_seconds": -1}', "wall_seconds: Input should be greater than 0, not -1"),
        ('{"threads": "many"}', "threads: "),
        ("[1]", "not [1]"),
        ("{", "Enter a valid JSON"),
    ],
)
def test_a_grant_that_is_none_is_refused_and_its_field_named(
    root: Client, benchmark: int, limits: str, said: str
) -> None:
    page = grant(root, Model.objects.get(), limits)
    assert page.status_code == 200
    assert said in html.unescape(page.content.decode())
    assert Model.objects.get().granted_limits == {}


def test_authors_and_tags_can_be_added_and_authors_changed(root: Client) -> None:
    assert root.post("/admin/storage/datasettag/add/", {"name": "winter"}).status_code == 302
    assert DatasetTag.objects.get().name == "winter"
    assert root.post("/admin/storage/author/add/", {"name": "Ines", "email": "i@example.org"}).status_code == 302
    author = Author.objects.get()
    root.post(f"/admin/storage/author/{author.pk}/change/", {"name": "Inês", "email": "i@example.org"})
    assert Author.objects.get().name == "Inês"


def test_a_benchmark_can_be_deleted(root: Client, benchmark: int) -> None:
    assert root.post(f"/admin/storage/benchmark/{benchmark}/delete/", {"post": "yes"}).status_code == 302
    assert not Benchmark.objects.exists()
