"""What the demo reads from the tables, written there as the benchmark engine writes it."""

from datetime import timedelta

import pytest

from atlas.datasets import DatasetVersion, TagDescription
from atlas.results import Failure
from atlas.states import FailureClass, ModelState, State
from demo.results import scores, standings
from demo.training import TrainedModel
from storage import catalog, records
from storage.records import Claim, FileRecord
from tests.samples import NOON, description, manifest, result

pytestmark = pytest.mark.django_db

MODEL = TrainedModel(name=manifest().name, tag="impacts")


def tag(*numbers: int) -> TagDescription:
    """What the ingestion engine says of the tag when it has these versions."""
    versions = [description(number) for number in numbers]
    fields = [version.model_dump(include=set(DatasetVersion.model_fields)) for version in versions]
    return TagDescription(name="impacts", query="", versions=tuple(DatasetVersion(**each) for each in fields))


def arrive(number: int) -> Claim:
    """A version arrives, and the engine takes the benchmark of the model on it."""
    file = FileRecord(key=MODEL.key, etag="1", size_bytes=1, digest="a" * 64, arrived=NOON)
    records.record_model(file, manifest())
    records.record_version(description(number))
    for model, version in catalog.unplanned():
        records.queue_benchmark(model, version, now=NOON)
    (waiting,) = catalog.next_to_claim(NOON, limit=9)
    held = records.claim(waiting, engine="one", lease=timedelta(minutes=1), now=NOON)
    assert held is not None
    return held


def test_a_model_that_nobody_has_found_yet_is_awaited() -> None:
    (standing,) = standings([MODEL], [tag(1)])
    assert (standing.state, standing.ended) == (None, False)
    assert str(standing) == f"{MODEL.name} on impacts version 1: not benchmarked"


def test_a_model_stands_on_each_version_of_its_tag() -> None:
    records.finish(arrive(1), result(), primary_metric="f1", now=NOON)
    arrive(2)
    found = standings([MODEL], [tag(1, 2, 3)])
    assert [(standing.version, standing.state, standing.ended) for standing in found] == [
        (1, State.DONE, True),
        (2, State.RUNNING, False),
        (3, None, False),
    ]


def test_a_failure_is_told_with_its_reason() -> None:
    records.fail(arrive(1), Failure(failure_class=FailureClass.TIMEOUT, reason="It took too long."), now=NOON)
    (standing,) = standings([MODEL], [tag(1)])
    assert standing.ended
    assert str(standing) == f"{MODEL.name} on impacts version 1: failed: It took too long."


def test_a_file_that_was_refused_is_awaited_no_longer() -> None:
    file = FileRecord(key=MODEL.key, etag="1", size_bytes=1, digest="a" * 64, arrived=NOON)
    records.record_unused_file(file, ModelState.INVALID, name="damaged", reason="It is not a zip file.")
    (standing,) = standings([MODEL], [tag(1)])
    assert standing.ended
    assert "not benchmarked: It is not a zip file." in str(standing)


def test_scores_are_the_primary_metrics_that_have_a_value() -> None:
    records.finish(arrive(1), result(0.8), primary_metric="f1", now=NOON)
    records.finish(arrive(2), result(None), primary_metric="f1", now=NOON)
    (score,) = scores()
    assert (score.tag, score.version, score.model) == ("impacts", 1, MODEL.name)
    assert (score.metric, score.value, score.greater_is_better) == ("f1", 0.8, True)
