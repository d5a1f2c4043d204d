"""The channels that alerts are sent by, on their pages."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from atlas.access import Role
from atlas.watching import ChannelKind, DeliveryState, News
from storage import queries, records
from storage.models import Delivery
from tests import alerts
from tests.atlas_web.conftest import Count

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_rules() -> None:
    """Rules are only those of the tests, and not those that an installation begins with."""
    alerts.without_rules()


MAILBOX = {"name": "Team", "kind": "email", "address": "ines@example.org ,jan@example.org eve@example.org,"}
HOOK = {"name": "Pipeline", "kind": "webhook", "address": "https://ci.example.org/hooks?key=s3cr3t"}
CHAT = {"name": "Chat", "kind": "chat", "address": "discord://12345678/s3cr3t"}


@pytest.fixture
def administrator(reader: Client) -> Client:
    records.set_role(User.objects.get(username="ilse").pk, Role.ADMINISTRATOR)
    return reader


def listed(client: Client) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", client.get("/alerts/channels/").content.decode()).split())


def test_addresses_of_e_mail_are_kept_one_by_one(administrator: Client) -> None:
    assert "No channels yet" in listed(administrator)
    answer = administrator.post("/alerts/channels/new/", MAILBOX)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/alerts/channels/")
    assert alerts.secret_of(queries.channels().get().pk) == ("ines@example.org, jan@example.org, eve@example.org", "")
    assert "E-mail: ines@example.org, jan@example.org, eve@example.org 0 rules · no message yet" in listed(
        administrator
    )


def test_the_secret_of_a_webhook_is_shown_once(administrator: Client) -> None:
    answer = administrator.post("/alerts/channels/new/", HOOK)
    (channel,) = queries.channels()
    address, secret = alerts.secret_of(channel.pk)
    assert len(secret) >= 32
    assert secret in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    for address_of_page in ("/alerts/channels/", f"/alerts/channels/{channel.pk}/", "/audit/"):
        shown = administrator.get(address_of_page).content.decode()
        assert secret not in shown
        assert "s3cr3t" not in shown
    assert "Webhook: https://ci.example.org/…" in listed(administrator)
    assert address == HOOK["address"]


def test_of_a_chat_service_only_its_kind_is_shown(administrator: Client) -> None:
    administrator.post("/alerts/channels/new/", CHAT)
    assert "Chat service: discord://…" in listed(administrator)
    told = queries.actions().get()
    assert (told.kind, told.thing, told.detail) == ("channel", "Chat", "chat")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        (MAILBOX | {"name": ""}, {"name": "Give the channel a name: rules choose it by that."}),
        (MAILBOX | {"address": ""}, {"address": "Write at least one e-mail address."}),
        (
            MAILBOX | {"address": " , "},
            {"address": "Write between one and 50 addresses with commas or blanks between them."},
        ),
        (MAILBOX | {"address": "ines@example.org, jan"}, {"address": "jan is no e-mail address."}),
        (
            MAILBOX | {"address": "ines@example.org\nBcc: eve@example.org"},
            {"address": "Bcc: is no e-mail address."},
        ),
        (HOOK | {"address": "ftp://example.org"}, {"address": "Write a whole URL, such as https://example.org/atlas."}),
        (
            HOOK | {"address": "https://me:pass@example.org/"},
            {"address": "Leave the user and the password out: messages are signed instead."},
        ),
        (
            CHAT | {"address": "nobody://knows"},
            {"address": "Apprise knows no such service, or a part is missing. Look at its list of URLs."},
        ),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    administrator: Client, fields: dict[str, str], wrong: dict[str, str]
) -> None:
    answer = administrator.post("/alerts/channels/new/", fields)
    assert answer.status_code == 422
    found: Any = answer.context["form"].errors
    assert {name: " ".join(texts) for name, texts in found.items()} == wrong
    assert answer.content.decode().count('aria-invalid="true"') == 1
    assert queries.channels().count() == 0


def test_names_are_taken_once(administrator: Client) -> None:
    alerts.add_channel("Team")
    answer = administrator.post("/alerts/channels/new/", MAILBOX)
    assert "Another channel is named Team; choose another name." in answer.content.decode()


@pytest.mark.parametrize("kind", ["email", "webhook", "chat"])
def test_the_form_says_what_an_address_of_the_chosen_kind_is(administrator: Client, kind: str) -> None:
    labels = {"email": "Addresses", "webhook": "URL", "chat": "URL of the service"}
    assert f">{labels[kind]}</label>" in administrator.get(f"/alerts/channels/new/?kind={kind}").content.decode()


def test_a_channel_keeps_its_address_unless_another_is_given(administrator: Client) -> None:
    made = alerts.add_channel("Pipeline", ChannelKind.WEBHOOK, HOOK["address"])
    administrator.post(f"/alerts/channels/{made.pk}/", {"name": "CI", "address": ""})
    assert alerts.secret_of(made.pk) == (HOOK["address"], made.secret)
    administrator.post(f"/alerts/channels/{made.pk}/", {"name": "CI", "address": "https://example.org/new"})
    assert alerts.secret_of(made.pk) == ("https://example.org/new", made.secret)
    details = [action.detail for action in queries.actions()]
    assert details == ["another address", "name: Pipeline, now CI", "webhook"]


def test_a_channel_can_be_disabled_and_deleted(administrator: Client) -> None:
    made = alerts.add_channel()
    alerts.add_rule(channels=frozenset({made.pk}))
    administrator.post(f"/alerts/channels/{made.pk}/switch/", {"enabled": "no"})
    assert "mailbox Disabled" in listed(administrator)
    assert alerts.secret_of(made.pk)[0] == "team@example.org"
    asked = administrator.get(f"/alerts/channels/{made.pk}/delete/").content.decode()
    assert "1 rule will send by one channel less." in asked
    administrator.post(f"/alerts/channels/{made.pk}/delete/")
    assert queries.channels().count() == 0
    assert queries.alert_rules().count() == 1


def test_a_test_message_waits_for_an_engine_and_says_what_became_of_it(administrator: Client) -> None:
    made = alerts.add_channel()
    answer = administrator.post(f"/alerts/channels/{made.pk}/test/", follow=True)
    assert "An engine sends a test message by mailbox." in answer.content.decode()
    waiting = Delivery.objects.get()
    assert (waiting.news, waiting.state, waiting.alert) == (News.TEST, DeliveryState.WAITING, None)
    Delivery.objects.update(state=DeliveryState.GIVEN_UP, problem="There is no such host.")
    assert "last message: Given up There is no such host." in listed(administrator)


def test_the_list_of_channels_costs_as_many_queries_whatever_it_holds(administrator: Client, queries_of: Count) -> None:
    alerts.add_channel()
    few = queries_of("/alerts/channels/")
    for number in range(8):
        alerts.add_channel(f"mailbox {number}")
    assert queries_of("/alerts/channels/") == few
