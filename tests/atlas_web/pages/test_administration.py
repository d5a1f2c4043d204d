"""Administration: components, queue, failures, orphans, and what administrators do there."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from atlas.access import Role, Verb
from atlas.states import ComponentState, State
from storage import catalog, records
from storage.models import Action, Benchmark, Orphan, Removal
from storage.records import FoundOrphan
from tests import stage
from tests.atlas_web.conftest import Count, Read, Shown
from tests.samples import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def shown(client: Client, address: str) -> Shown:
    answer = client.get(address)
    return Shown(answer.status_code, answer.content.decode())


def press(client: Client, **form: object) -> str:
    """Press a button of the queue; what the page says then."""
    return Shown(200, client.post("/administration/queue/change/", form, follow=True).content.decode()).text


@pytest.fixture
def waiting() -> list[int]:
    version = stage.add_version()
    return [stage.queue(stage.add_model(f"Forest{number}"), version, now=timezone.now()) for number in range(3)]


def find(*keys: str) -> None:
    now = timezone.now()
    found = [FoundOrphan(key=key, etag="1", size_bytes=1024, modified=now, why="Nobody's.") for key in keys]
    records.report_orphans(found, objects_seen=9, bytes_seen=9216, now=now)


def test_components_in_trouble_stand_first(read: Read) -> None:
    for name, state in (("engine", ComponentState.HEALTHY), ("storage", ComponentState.DEGRADED)):
        records.report_status(name, state, "says so", now=timezone.now())
    records.report_status("ingestion", ComponentState.DOWN, "refused", now=timezone.now())
    rows = read("/administration/").rows()
    assert [row.split()[0] for row in rows[:4]] == ["Ingestion", "Storage", "Training", "Engine"]


def test_only_administrators_are_led_to_the_audit_log_and_to_the_tables(client: Client) -> None:
    found = {}
    for role in (Role.DATA_SCIENTIST, Role.ADMINISTRATOR):
        person = User.objects.create_user(role.value)
        person.groups.add(Group.objects.get(name=role.value))
        client.force_login(person)
        text = shown(client, "/administration/").text
        found[role] = ("Who did what." in text, "Every table, row by row." in text)
    assert found == {Role.DATA_SCIENTIST: (False, False), Role.ADMINISTRATOR: (True, True)}


def test_failures_are_counted_by_class(read: Read) -> None:
    version = stage.add_version()
    for number in range(2):
        stage.fail(stage.add_model(f"Forest{number}"), version, now=timezone.now())
    stage.fail(stage.add_model("Old-1"), version, now=timezone.now() - timedelta(days=8))
    assert "Load error 2 the model or the data have to change" in read("/administration/").text


def test_the_queue_shows_what_runs_and_what_waits_in_its_order(read: Read, waiting: list[int]) -> None:
    now = timezone.now()
    records.claim(waiting[0], engine="one-7", lease=timedelta(minutes=1), now=now)
    Benchmark.objects.filter(pk=waiting[1]).update(not_before=now + timedelta(hours=1), attempts=1)
    records.move_to_front(waiting[2], now=now)
    running, first, second = read("/administration/queue/").rows()
    assert running.startswith("- Forest0 impacts v1 Running")
    assert "one-7 lease until" in running
    assert first.startswith("1 Forest2 impacts v1 Queued")
    assert second.startswith("2 Forest1 impacts v1 Queued not before")
    assert "2 of 3" in second


def test_the_queue_is_cut_into_pages_and_its_positions_go_on(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atlas_web.pages.administration.ON_A_PAGE", 2)
    version = stage.add_version()
    for number in range(3):
        stage.queue(stage.add_model(f"Forest{number}"), version)
    (row,) = read("/administration/queue/?page=2").rows()
    assert row.startswith("3 Forest2")
    assert read("/administration/queue/?page=many").status == 200


def test_an_administrator_moves_one_to_the_front(root: Client, waiting: list[int]) -> None:
    assert "Moved to the front: Forest2 on impacts v1." in press(root, front=waiting[2])
    assert catalog.next_to_claim(timezone.now(), limit=1) == [waiting[2]]
    action = Action.objects.get()
    assert (action.person, action.verb, action.detail) == ("root", Verb.CHANGED, "moved to the front")


def test_an_administrator_cancels_one_or_all_that_wait(root: Client, waiting: list[int]) -> None:
    assert "Cancelled: Forest0 on impacts v1." in press(root, cancel=waiting[0], page="queue")
    assert "Cancelled: 2 benchmarks." in press(root, cancel_all="yes")
    assert set(Benchmark.objects.values_list("state", flat=True)) == {State.CANCELLED}
    assert "could not be cancelled" in press(root, cancel=waiting[0])


@pytest.mark.parametrize("form", [{}, {"front": "9" * 30}, {"cancel": "forest"}, {"cancel": "99"}])
def test_a_button_of_what_is_gone_says_so(root: Client, form: dict[str, str]) -> None:
    assert "There is no such benchmark" in press(root, **form)


def test_readers_see_the_queue_without_its_buttons(read: Read, waiting: list[int]) -> None:
    html = read("/administration/").html
    assert "Forest0" in html
    assert 'name="cancel"' not in html
    assert "Cancel all that wait" not in html


def test_what_the_retention_policy_removed_last_is_shown(root: Client) -> None:
    assert "Nothing old was removed yet." in shown(root, "/administration/").text
    for lines in (2, 3):
        records.log_removed({"lines of the log": lines}, NOON)
    assert "Old, and removed: 3 lines of the log. 2026-03-02 12:00 UTC" in shown(root, "/administration/").text


def test_orphans_are_listed_with_their_size_and_the_time_of_the_report(root: Client) -> None:
    assert "The engine has made no report yet." in shown(root, "/administration/orphans/").text
    find("uploads/a", "uploads/b")
    page = shown(root, "/administration/orphans/")
    assert "2 orphans, 2.0 KiB" in page.text
    assert "the engine looked at 9 objects, 9.0 KiB." in page.text
    assert ["uploads/a Nobody's. 1.0 KiB" in row for row in page.rows()] == [True, False]
    assert "The engine has given no sign of life." in page.text


def test_the_chosen_orphans_are_cleaned_up_or_all(root: Client) -> None:
    find("uploads/a", "uploads/b", "uploads/c")
    root.post("/administration/orphans/clean-up/", {"key": ["uploads/a"]})
    assert list(Removal.objects.values_list("key", flat=True)) == ["uploads/a"]
    assert "Waiting for the engine to delete them: 1 object" in shown(root, "/administration/orphans/").text
    root.post("/administration/orphans/clean-up/", {"all": "yes"})
    assert not Orphan.objects.exists()
    answer = root.post("/administration/orphans/clean-up/", follow=True).content.decode()
    assert "Nothing is chosen." in answer


@pytest.mark.parametrize("address", ["/administration/", "/administration/queue/", "/administration/orphans/"])
def test_the_queries_do_not_grow(queries_of: Count, fill: Callable[[int], None], address: str) -> None:
    fill(3)
    find("uploads/a")
    few = queries_of(address)
    fill(12)
    find(*(f"uploads/{number}" for number in range(9)))
    assert queries_of(address) == few
