"""Django's admin: everything can be seen, and nothing that the engine relies on can be changed."""

import html
from typing import cast

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from atlas.access import Via
from atlas.limits import ModelLimits
from atlas.states import State
from storage import records
from storage.catalog import assignment
from storage.models import Action, Author, Benchmark, DatasetTag, Model, Removal
from storage.records import FoundOrphan
from tests import stage
from tests.samples import NOON

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


def test_a_model_goes_with_its_objects_and_into_the_audit_log(root: Client, benchmark: int) -> None:
    model = Model.objects.get()
    page = f"/admin/storage/model/{model.pk}/delete/"
    assert b"Are you sure" in root.get(page).content
    assert root.post(page, {"post": "yes"}).status_code == 302
    assert not Model.objects.exists()
    assert Removal.objects.filter(key=model.key, etag=model.etag).exists()
    action = Action.objects.get()
    assert (action.person, action.via, action.thing) == ("root", Via.ADMIN, model.name)


def test_chosen_models_go_in_the_same_way(root: Client, benchmark: int) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [Model.objects.get().pk], "post": "yes"}
    assert root.post("/admin/storage/model/", chosen).status_code == 302
    assert not Benchmark.objects.exists()
    assert Removal.objects.filter(by="root").count() == 1


@pytest.mark.parametrize("table", ["metric", "confusionmatrix", "residuals", "explanation", "removal", "orphan"])
def test_what_belongs_to_something_is_not_deleted_alone(root: Client, benchmark: int, table: str) -> None:
    records.delete_models([stage.add_model("Other-1")], "ilse", Via.PAGE, NOON)
    found = FoundOrphan(key="uploads/a", etag="1", size_bytes=1, modified=NOON, why="Nobody's.")
    records.report_orphans([found], objects_seen=1, bytes_seen=1, now=NOON)
    rows = apps.get_model("storage", table).objects
    before = list(rows.values_list("pk", flat=True))
    for pk in before:
        assert root.post(f"/admin/storage/{table}/{pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": before, "post": "yes"}
    root.post(f"/admin/storage/{table}/", chosen)
    assert list(rows.values_list("pk", flat=True)) == before


@pytest.mark.parametrize("table", ["author", "datasettag", "datasetversion"])
def test_what_others_stand_on_is_not_deleted(root: Client, benchmark: int, table: str) -> None:
    rows = apps.get_model("storage", table).objects
    root.post(f"/admin/storage/{table}/{rows.get().pk}/delete/", {"post": "yes"})
    assert rows.count() == 1


def test_a_benchmark_can_be_deleted(root: Client, benchmark: int) -> None:
    assert root.post(f"/admin/storage/benchmark/{benchmark}/delete/", {"post": "yes"}).status_code == 302
    assert not Benchmark.objects.exists()
