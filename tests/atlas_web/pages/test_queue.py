"""Staff pause the queue and let it go on; everybody sees who did, when and why."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from storage import queries, records
from tests.atlas_web.conftest import Read
from tests.samples import NOON

pytestmark = pytest.mark.django_db

PAGES = ["/", "/benchmarks/"]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("root", is_superuser=True))
    return client


def shown(client: Client, address: str) -> str:
    return client.get(address).content.decode()


@pytest.mark.parametrize("address", PAGES)
def test_staff_pause_and_resume_the_queue_where_it_is_shown(staff: Client, address: str) -> None:
    assert "Pause the queue" in shown(staff, address)
    staff.post("/queue/pause/", {"reason": " the disk is full "})
    paused = shown(staff, address)
    assert "Pause the queue" not in paused
    assert "by root: the disk is full" in paused
    staff.post("/queue/resume/")
    assert queries.pause() is None
    assert "Let it go on" not in shown(staff, address)


@pytest.mark.parametrize("address", PAGES)
def test_everybody_sees_the_pause_and_only_staff_the_buttons(read: Read, address: str) -> None:
    assert "Pause the queue" not in read(address).html
    records.pause(by="root", reason="", now=NOON)
    paused = read(address)
    assert "The queue is paused since 2026-03-02 12:00 UTC by root." in paused.text
    assert "What runs goes on; nothing new starts." in paused.text
    assert "Let it go on" not in paused.html


def test_pausing_and_resuming_are_logged(staff: Client) -> None:
    staff.post("/queue/pause/", {"reason": "the disk is full"})
    staff.post("/queue/resume/")
    log = shown(staff, "/logs/")
    assert "Queue paused by root: the disk is full." in log
    assert "Queue resumed by root." in log


def test_a_second_pause_changes_nothing_and_says_so(staff: Client) -> None:
    records.pause(by="jan", reason="", now=NOON)
    staff.post("/queue/pause/", {"reason": "mine"})
    page = shown(staff, "/")
    assert "The queue is paused already." in page
    assert "by jan" in page


def test_resuming_what_is_not_paused_says_so(staff: Client) -> None:
    staff.post("/queue/resume/")
    assert "The queue is not paused." in shown(staff, "/")


def test_a_reason_is_text_and_not_a_part_of_the_page(staff: Client) -> None:
    staff.post("/queue/pause/", {"reason": "<b>now</b>" + "x" * 1000})
    page = shown(staff, "/")
    assert "&lt;b&gt;now&lt;/b&gt;" in page
    assert "x" * 501 not in page
