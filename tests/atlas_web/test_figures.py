"""The figures of an explanation as pages show them: which events and features they are made of."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from atlas_web import evidence
from atlas_web.figures import CARDS, Subject, card, chosen_events
from explainability.explained import Explained
from storage.queries import BenchmarkPage
from tests.atlas_web.explaining import document, events


def subject(of: Explained) -> Subject:
    return Subject(whose=None, explanation=document(of), output=0, read=lambda: of)


def options(name: str, of: Explained) -> list[str]:
    return [value for value, _ in CARDS[name].offered(subject(of))]


def test_random_events_are_of_the_fair_sample_and_always_the_same() -> None:
    of = events(200)
    found = chosen_events(of, "random", most=20)
    assert found == chosen_events(of, "random", most=20)
    assert len(set(found)) == 20
    assert of.is_sampled[found].all()


def test_wrong_events_are_those_first_that_are_most_confident() -> None:
    of = events(200)
    found = chosen_events(of, "wrong")
    assert set(found) == set(np.flatnonzero(of.truth != of.predicted))
    assert (of.truth[found] != of.predicted[found]).all()
    assert (np.diff(of.confidence[found]) <= 0).all()


def test_unsure_events_are_those_first_that_the_model_is_least_sure_of() -> None:
    of = events(200)
    found = chosen_events(of, "unsure", most=5)
    assert set(of.confidence[found]) == set(np.sort(of.confidence)[:5])


def test_events_without_a_confidence_are_not_unsure() -> None:
    of = events(10)
    known = replace(of, confidence=np.where(np.arange(10) < 3, of.confidence, np.nan))
    assert set(chosen_events(known, "unsure")) == {0, 1, 2}


def test_a_regression_s_wrong_events_are_those_that_are_furthest_off() -> None:
    of = events(200, classes=1)
    off = np.abs(of.truth.astype(float) - of.predicted.astype(float))
    assert chosen_events(of, "wrong", most=3) == np.argsort(-off)[:3].tolist()


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"classes": 3}, ["random", "wrong", "unsure"]),
        ({"classes": 1}, ["random", "wrong"]),
    ],
)
def test_which_events_can_be_chosen_depends_on_what_is_predicted(changes: dict[str, Any], kinds: list[str]) -> None:
    assert options("decision", events(**changes)) == kinds


def test_without_confidence_nobody_can_ask_for_unsure_events() -> None:
    of = events()
    assert options("decision", replace(of, confidence=np.full(len(of), np.nan))) == ["random", "wrong"]


def test_the_features_that_matter_most_for_the_output_are_offered_first() -> None:
    of = events()
    strength = np.abs(of.findings.values[of.is_sampled, :, 0]).mean(axis=0)
    assert options("dependence", of)[0] == of.findings.features[strength.argmax()]
    assert set(options("dependence", of)) == set(of.findings.features)


def test_the_tree_s_card_says_how_much_of_the_model_it_tells() -> None:
    of = events()
    assert "it tells 62\N{NARROW NO-BREAK SPACE}% of how they vary" in card("surrogate", document(of)).text
    assert of.findings.tree is not None
    useless = document(of, tree=of.findings.tree.model_copy(update={"fidelity": -0.3}))
    assert "it tells 0\N{NARROW NO-BREAK SPACE}%" in card("surrogate", useless).text


def test_events_are_read_but_once_for_all_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    of, reads = events(), []

    def read(page: object) -> Explained:
        reads.append(page)
        return of

    monkeypatch.setattr(evidence, "explained_events", read)
    first = Subject.of(cast(BenchmarkPage, "page"), document(of))
    assert reads == []
    assert first.about(2).explained is first.explained is of
    assert reads == ["page"]
