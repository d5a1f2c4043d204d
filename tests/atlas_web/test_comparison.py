"""Benchmarks beside each other, as a document: what is paired, what is not, and what that says."""

from typing import Any

import pytest
from django.core.cache import cache
from django.http import QueryDict

from atlas.comparison import Comparison
from atlas.paired import Finding, Method, holm
from atlas_web import objects, pairs
from atlas_web.alchemy import View, view_of
from atlas_web.comparison import compare
from storage.models import Model
from tests import stage
from tests.comparing import EVENTS, answers, compared, delete, put, stored

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    cache.clear()
    forget()


def forget() -> None:
    objects._LATEST = objects.LatestObjects(objects.KEPT_BYTES)


def view(*keys: int, **asked: Any) -> View:
    query = QueryDict(mutable=True)
    query.setlist("b", [str(key) for key in keys])
    for name, value in asked.items():
        query[name] = str(value)
    return view_of(query)


def comparison(*keys: int, **asked: Any) -> Comparison:
    return compare(view(*keys, **asked))


def two(right: float = 0.7, better: float = 0.95, **changes: Any) -> tuple[int, int]:
    version = stage.add_version()
    return compared("Old-1", right, version=version), compared("New-2", better, version=version, seed=2, **changes)


def test_benchmarks_on_one_version_are_paired_event_by_event() -> None:
    found = comparison(*two()).evidence[0]
    assert found.difference.method is Method.PAIRED
    assert found.difference.rows == EVENTS
    assert found.finding is Finding.BETTER
    assert found.sentence.startswith("B is better than A by accuracy: +0.")
    assert found.discordance is not None
    assert f"B is right on {found.discordance.only_other} events where A is wrong" in found.notes[0]


def test_the_worse_one_is_said_to_be_worse_and_a_lower_loss_is_better() -> None:
    old, new = two()
    assert comparison(new, old).evidence[0].sentence.startswith("B is worse than A by accuracy: \N{MINUS SIGN}0.")
    by_loss = comparison(old, new, metric="log_loss").evidence[0]
    assert by_loss.sentence.startswith("B is better than A by log loss: \N{MINUS SIGN}0.")


def test_what_is_within_noise_is_no_difference() -> None:
    found = comparison(*two(0.8, 0.805)).evidence[0]
    assert found.finding is Finding.WITHIN_NOISE
    assert found.sentence.startswith("B and A do not differ in accuracy by more than noise: ")


def test_of_several_the_p_values_are_corrected() -> None:
    version = stage.add_version()
    keys = [compared(f"Forest-{seed}", 0.7 + seed / 100, version=version, seed=seed) for seed in range(1, 5)]
    found = [each.difference for each in comparison(*keys).evidence]
    assert [each.adjusted_p for each in found] == holm([each.p for each in found])
    assert any(each.adjusted_p != each.p for each in found)


def test_on_different_versions_the_intervals_are_compared_and_the_document_says_why() -> None:
    old = compared("Old-1", 0.7, version=stage.add_version(1))
    new = compared("New-2", 0.95, version=stage.add_version(2))
    found = comparison(old, new).evidence[0]
    assert found.difference.method is Method.UNPAIRED
    assert found.finding is Finding.BETTER
    assert found.discordance is None
    assert found.notes[0].startswith("They were measured on different dataset versions")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"keep": False}, "Predictions were not kept of both"),
        ({"target": "speed"}, "do not predict the same thing"),
        ({"classes": ("intact", "dented")}, "do not tell the same classes apart"),
        ({"classes": ("damaged", "intact")}, "the same positive class"),
    ],
)
def test_what_cannot_be_paired_is_compared_by_its_intervals(changes: dict[str, Any], problem: str) -> None:
    found = comparison(*two(**changes)).evidence[0]
    assert found.difference.method is Method.UNPAIRED
    assert found.difference.is_known
    assert problem in found.notes[0]


def test_too_many_events_are_not_paired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MOST_EVENTS", 1)
    assert "too many to compare one by one" in comparison(*two()).evidence[0].notes[0]


def test_predictions_that_are_gone_or_broken_leave_the_intervals() -> None:
    old, new = two()
    chosen = view(old, new)
    key = chosen.others[0].benchmark.predictions_key
    put(key, b"no parquet")
    assert "does not hold predictions" in compare(chosen).evidence[0].notes[0]
    delete(key)
    forget()
    found = compare(chosen).evidence[0]
    assert found.notes[0] == pairs.GONE
    assert found.difference.method is Method.UNPAIRED
    assert chosen.reference is not None
    assert not pairs.are_known(chosen.reference, chosen.others)


def test_a_pair_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = view(*two())
    assert chosen.reference is not None
    assert not pairs.are_known(chosen.reference, chosen.others)
    first = compare(chosen)
    assert pairs.are_known(chosen.reference, chosen.others)
    monkeypatch.setattr(pairs, "content", lambda _key: pytest.fail("it was read again"))
    assert compare(chosen) == first


def test_other_ids_cannot_be_paired() -> None:
    old, new = two()
    chosen = view(old, new)
    truth, chances = answers(0.95, seed=2)
    put(chosen.others[0].benchmark.predictions_key, stored(truth, chances, [f"other-{n}" for n in range(len(truth))]))
    assert compare(chosen).evidence[0].notes[0] == "They have no event in common."


def test_costs_are_told_beside_what_they_buy() -> None:
    old, new = two(latency=0.006)
    Model.objects.filter(benchmarks=new).update(size_bytes=2_560)
    notes = comparison(old, new).evidence[0].notes
    assert notes[-1] == "B takes 3.0 times as long at p95 and is 75\N{NARROW NO-BREAK SPACE}% smaller on disk."


def test_hyperparameters_are_side_by_side_and_idle_defaults_are_marked() -> None:
    found = {each.name: each for each in comparison(*two(depth="5")).hyperparameters}
    assert found["depth"].values == ("3", "5")
    assert found["depth"].differs
    assert not found["trees"].differs
    assert not found["trees"].is_idle
    assert found["warm"].is_idle


def test_a_metric_that_one_has_not_is_no_comparison() -> None:
    version = stage.add_version()
    one = compared("Old-1", 0.7, version=version)
    other = stage.finish(stage.add_model("Plain-2"), version)
    found = comparison(one, other, metric="log_loss").evidence[0]
    assert found.finding is Finding.CANNOT_TELL
    assert found.sentence == "B and A cannot be compared by log loss: one of them has no value"


def test_the_document_survives_json() -> None:
    found = comparison(*two())
    assert Comparison.model_validate_json(found.model_dump_json()) == found
    with pytest.raises(ValueError, match="nothing to compare"):
        compare(view())
