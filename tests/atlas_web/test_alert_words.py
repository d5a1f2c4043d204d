"""How the pages speak of alerts and rules."""

from types import SimpleNamespace
from typing import Any

import pytest

from atlas.watching import AlertKind, ChannelKind
from atlas_web import alert_words

FOREST = SimpleNamespace(name="Forest-1.0.0-1")


def rule(kind: AlertKind, **fields: Any) -> Any:
    nothing = {"metric": "", "threshold": None, "model": None, "use_case": "", "tag": None, "component": ""}
    return SimpleNamespace(**nothing | {"kind": kind} | fields)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (rule(AlertKind.METRIC, metric="f1", threshold=0.85), "Any model: F1 is below 0.85."),
        (rule(AlertKind.METRIC, metric="log_loss", threshold=2), "Any model: Log loss is above 2."),
        (rule(AlertKind.METRIC, threshold=0.5), "Any model: its primary metric is worse than 0.5."),
        (rule(AlertKind.METRIC, metric="own", threshold=0.5), "Any model: own is worse than 0.5."),
        (
            rule(AlertKind.DROP, use_case="damage detector", tag=SimpleNamespace(name="impacts")),
            "Any model for damage detector on impacts: its primary metric gets worse by more than noise.",
        ),
        (
            rule(AlertKind.DROP, model=FOREST, metric="f1", threshold=0.025),
            "Forest-1.0.0-1: F1 gets worse by more than noise, and by at least 2.5 %.",
        ),
        (
            rule(AlertKind.DRIFT, threshold=0.3),
            "Any model: more than 30 % of the columns have moved from the training data.",
        ),
        (rule(AlertKind.FAILED, model=FOREST), "Forest-1.0.0-1: the benchmark on the newest version fails."),
        (rule(AlertKind.DOWN), "Any component is down."),
        (rule(AlertKind.DOWN, component="engine"), "Engine is down."),
    ],
)
def test_a_rule_is_a_sentence(said: Any, sentence: str) -> None:
    assert alert_words.sentence(said).replace("\N{NARROW NO-BREAK SPACE}", " ") == sentence


@pytest.mark.parametrize(
    ("kind", "address", "shown"),
    [
        (ChannelKind.EMAIL, "a@example.org, b@example.org", "a@example.org, b@example.org"),
        (ChannelKind.WEBHOOK, "https://ci.example.org:8443/hooks?key=secret", "https://ci.example.org:8443/…"),
        (ChannelKind.WEBHOOK, "https://me:secret@example.org", "https://example.org/…"),
        (ChannelKind.WEBHOOK, "https://example.org?key=secret", "https://example.org/…"),
        (ChannelKind.CHAT, "discord://secret/secret", "discord://…"),
    ],
)
def test_of_an_address_nothing_is_shown_that_may_be_a_password(kind: ChannelKind, address: str, shown: str) -> None:
    assert alert_words.where(SimpleNamespace(kind=kind, address=address)) == shown


def test_every_kind_has_its_words() -> None:
    assert set(alert_words.KINDS) == set(alert_words.CONDITIONS) == set(AlertKind)
    assert set(alert_words.CHANNELS) == set(ChannelKind)
