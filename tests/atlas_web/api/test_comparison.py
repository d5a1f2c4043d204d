"""Benchmarks beside each other over the API."""

import pytest

from atlas.api import Comparison
from tests import stage
from tests.atlas_web.api.conftest import Script
from tests.samples import result

pytestmark = pytest.mark.django_db


@pytest.fixture
def done() -> dict[str, int]:
    """The benchmarks of two models on one dataset version."""
    version, scores = stage.add_version(1), {"Ash": 0.9, "Cedar": 0.5}
    return {name: stage.finish(stage.add_model(name), version, result(f1)) for name, f1 in scores.items()}


def test_benchmarks_are_compared(reading: Script, done: dict[str, int]) -> None:
    chosen = f"benchmark={done['Ash']}&benchmark={done['Cedar']}"
    found = Comparison.model_validate(reading.get(f"comparison?{chosen}"))
    assert [each.model.name for each in found.benchmarks] == ["Ash", "Cedar"]
    f1 = next(metric for metric in found.metrics if metric.name == "f1")
    assert [value and value.value for value in f1.values] == [0.9, 0.5]
    assert found.verdict
    other = Comparison.model_validate(reading.get(f"comparison?{chosen}&reference={done['Cedar']}&metric=accuracy"))
    assert [each.id for each in other.benchmarks] == [done["Ash"], done["Cedar"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "benchmark"),
        ("benchmark=4711", "benchmark"),
        ("benchmark=x", "benchmark.0"),
        ("benchmark={Ash}&reference=4711", "reference"),
        ("benchmark={Ash}&metric=beauty", "metric"),
        ("&".join(f"benchmark={key}" for key in range(1, 14)), "benchmark"),
    ],
)
def test_what_cannot_be_compared_is_named(reading: Script, done: dict[str, int], query: str, field: str) -> None:
    answer = reading("GET", f"comparison?{query.format(**done)}")
    assert answer.status == 422
    assert [each["field"] for each in answer.document["errors"]] == [field]
