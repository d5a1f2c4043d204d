"""Many models or benchmarks at once, and what is said before they go."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from atlas.access import Verb
from atlas.errors import ObjectStoreError
from atlas.states import State
from atlas_web import files
from storage import queries
from storage.models import Action, Benchmark, Model
from storage.objects import open_store
from tests import stage
from tests.atlas_web.conftest import Read, Shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def models() -> list[int]:
    """Two detectors and a finder, each with a benchmark that is done and one that waits."""
    versions = [stage.add_version(number) for number in (1, 2)]
    made = [
        stage.add_model(name, use_case=use_case)
        for name, use_case in (("A-1", "detector"), ("B-1", "detector"), ("C-1", "finder"))
    ]
    for model in made:
        stage.finish(model, versions[0])
        stage.queue(model, versions[1], now=timezone.now())
    return made


def press(client: Client, address: str, **form: object) -> str:
    return Shown(200, client.post(address, form, follow=True).content.decode()).text


def states(model: int) -> list[str]:
    return list(Benchmark.objects.filter(model=model).order_by("dataset_version").values_list("state", flat=True))


def test_only_administrators_see_the_boxes(root: Client, read: Read, models: list[int]) -> None:
    assert 'name="pick"' not in read("/models/").html
    root.force_login(User.objects.get(username="root"))
    html = root.get("/models/").content.decode()
    assert html.count('name="pick"') == 3
    assert 'aria-label="Choose A-1"' in html
    assert root.get("/benchmarks/").content.decode().count('name="pick"') == 6


def test_the_benchmarks_of_chosen_models_run_again(root: Client, models: list[int]) -> None:
    said = press(root, "/models/change/", action="again", pick=models[:2])
    assert "Queued again: 2 benchmarks." in said
    assert [states(model)[0] for model in models] == [State.QUEUED, State.QUEUED, State.DONE]
    assert Action.objects.get().verb == Verb.RAN_AGAIN


def test_all_that_match_the_filter_are_cancelled(root: Client, models: list[int]) -> None:
    said = press(root, "/models/change/", action="cancel", all="yes", query="use_case=detector")
    assert "Cancelled: 2 benchmarks." in said
    assert [states(model)[1] for model in models] == [State.CANCELLED, State.CANCELLED, State.QUEUED]
    assert Action.objects.get().detail == "use_case=detector"


def test_benchmarks_are_chosen_by_their_filter_too(root: Client, models: list[int]) -> None:
    said = press(root, "/benchmarks/change/", action="again", all="yes", query="state=done&q=C-1")
    assert "Queued again: 1 benchmark." in said
    assert states(models[2]) == [State.QUEUED, State.QUEUED]
    assert "None of these benchmarks has ended." in press(
        root, "/benchmarks/change/", action="again", all="yes", query="state=queued"
    )


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"action": "again"}, "Nothing is chosen."),
        ({"action": "again", "pick": ["forest", "9" * 30]}, "Nothing is chosen."),
        ({"action": "again", "all": "yes", "query": "state=nowhere"}, "Nothing is chosen."),
        ({"action": "explode", "pick": ["1"]}, "Choose what is to be done"),
    ],
)
def test_a_form_that_says_nothing_is_answered(root: Client, form: dict[str, str], said: str) -> None:
    for address in ("/models/change/", "/benchmarks/change/"):
        assert said in press(root, address, **form)


def test_chosen_models_go_once_one_has_read_what_will_go(root: Client, models: list[int]) -> None:
    page = root.post("/models/change/", {"action": "delete", "all": "yes", "query": "use_case=detector"})
    text = Shown(200, page.content.decode()).text
    assert "Delete 2 models?" in text
    for said in ("A-1", "Models 2", "Benchmarks 4", "Results 2", "2 benchmarks wait or run, and will be ended."):
        assert said in text
    assert Model.objects.count() == 3
    keys = page.content.decode().split('name="keys" value="')[1].split('"')[0]
    stage.add_model("D-1", use_case="detector")
    assert "Deleted 2 models and 4 benchmarks." in press(root, "/models/change/", keys=keys)
    assert sorted(Model.objects.values_list("name", flat=True)) == ["C-1", "D-1"]


def test_chosen_benchmarks_go_in_the_same_way(root: Client, models: list[int]) -> None:
    pks = list(Benchmark.objects.filter(state=State.DONE).values_list("pk", flat=True))
    page = root.post("/benchmarks/change/", {"action": "delete", "pick": pks[:2]}).content.decode()
    assert "Delete 2 benchmarks?" in page
    assert "queues a benchmark anew" in page
    press(root, "/benchmarks/change/", keys=",".join(map(str, pks[:2])))
    assert Benchmark.objects.count() == 4


def test_a_model_s_page_says_what_will_go_and_its_button_deletes_it(root: Client, models: list[int]) -> None:
    assert f'href="/models/{models[0]}/delete/"' in root.get(f"/models/{models[0]}/").content.decode()
    text = Shown(200, root.get(f"/models/{models[0]}/delete/").content.decode()).text
    assert "Delete A-1? What will go This cannot be undone. Models 1 Benchmarks 2 Results 1" in text
    assert Model.objects.count() == 3
    assert "Deleted 1 model and 2 benchmarks." in press(root, f"/models/{models[0]}/delete/")
    assert root.get(f"/models/{models[0]}/delete/").status_code == 404


def test_what_goes_is_what_was_said(models: list[int]) -> None:
    going = queries.what_goes_with(models)
    assert (going.models, going.benchmarks, going.unfinished, going.results) == (3, 6, 3, 3)
    assert going.model_bytes == 3 * 10_240


def test_all_benchmarks_of_a_model_run_again_by_its_button(root: Client, models: list[int]) -> None:
    assert "Queued again: 1 benchmark." in press(root, f"/models/{models[0]}/again/")
    assert states(models[0]) == [State.QUEUED, State.QUEUED]


def test_a_model_s_file_is_downloaded(root: Client, settings: Settings, models: list[int]) -> None:
    assert root.get(f"/models/{models[0]}/file/").status_code == 404
    open_store(str(settings.ATLAS_OBJECT_STORE)).put("models/A-1.atlas", b"a bundle")
    answer = root.get(f"/models/{models[0]}/file/")
    assert b"".join(answer) == b"a bundle"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="A-1.atlas"'
    assert answer.headers["Content-Length"] == "8"


def test_a_download_of_a_model_goes_on_where_it_broke_off(
    root: Client, settings: Settings, models: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(str(settings.ATLAS_OBJECT_STORE)).put("models/A-1.atlas", b"a bundle")
    part = root.get(f"/models/{models[0]}/file/", headers={"Range": "bytes=2-"})
    assert (part.status_code, b"".join(part)) == (206, b"bundle")
    assert root.get(f"/models/{models[0]}/file/", headers={"Range": "bytes=9-"}).status_code == 416

    def unreachable() -> None:
        raise ObjectStoreError

    monkeypatch.setattr(files, "store", unreachable)
    answer = root.get(f"/models/{models[0]}/file/")
    assert (answer.status_code, "The object store does not answer" in answer.content.decode()) == (503, True)
