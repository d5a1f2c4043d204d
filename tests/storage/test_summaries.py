"""What a model's row says of its benchmarks is what these say themselves, whatever happens to them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from atlas.access import Via
from atlas.results import BenchmarkResult, Explanation, Failure, MetricValue
from atlas.states import FailureClass, State
from storage import records
from storage.models import Benchmark, Model
from tests import stage
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)
EXPLAINED = Explanation(method="TreeExplainer", output="value", outputs=("cost",), rows=30)
FIELDS = ("result", "score", "low", "high", "explained_on", "unexplained", "trouble")
NUMBERS = ("unfinished", "done", "failed", "incompatible", "cancelled")


def kept(model: int) -> dict[str, Any]:
    """What the model's row says."""
    row = Model.objects.get(pk=model)
    return {name: getattr(row, name) for name in (*NUMBERS, *FIELDS)}


def said(model: int) -> dict[str, Any]:
    """The same, asked of its benchmarks and their results one by one."""
    own = Benchmark.objects.filter(model=model)
    done = own.filter(state=State.DONE).order_by("-dataset_version__created", "-pk")
    newest = done.first()
    primary = newest.metrics.filter(primary=True).first() if newest else None
    explained = done.filter(explanation__impossible="").first()
    trouble = own.filter(state__in=(State.FAILED, State.INCOMPATIBLE)).order_by("-queued", "-pk").first()
    return {
        "unfinished": own.filter(state__in=(State.QUEUED, State.RUNNING)).count(),
        **{state.value: own.filter(state=state).count() for state in State if state.value in NUMBERS},
        "result": newest.pk if newest else None,
        "score": primary.value if primary else None,
        "low": primary.low if primary else None,
        "high": primary.high if primary else None,
        "explained_on": explained.pk if explained else None,
        "unexplained": newest.explanation.impossible if newest else "",
        "trouble": trouble.reason if trouble else "",
    }


def scored(value: float, **changes: Any) -> BenchmarkResult:
    """A result with an interval."""
    f1 = MetricValue(name="f1", value=value, low=value - 0.1, high=value + 0.1, greater_is_better=True)
    return result(metrics=(f1,), **changes)


def lost(held: records.Claim) -> None:
    records.fail_lost(held.benchmark, held.token, now=NOON + stage.LEASE * 2)


def broken(held: records.Claim) -> None:
    records.fail(held, Failure(failure_class=FailureClass.LOAD_ERROR, reason="It is broken."), now=NOON)


def finished(held: records.Claim) -> None:
    records.finish(held, scored(0.8, explanation=EXPLAINED), primary_metric="f1", now=NOON)


def cancelled(held: records.Claim) -> None:
    records.cancel(held.benchmark, by="ilse", now=NOON)


def released(held: records.Claim) -> None:
    records.release(held, now=NOON)


def run_again(held: records.Claim) -> None:
    finished(held)
    records.run_again(held.benchmark, now=LATER)


def deleted(held: records.Claim) -> None:
    finished(held)
    records.delete_benchmarks([held.benchmark], "ilse", Via.PAGE, LATER)


def finished_too_late(held: records.Claim) -> None:
    cancelled(held)
    finished(held)


@pytest.mark.parametrize(
    "happens",
    [lost, broken, finished, cancelled, released, run_again, deleted, finished_too_late],
    ids=lambda happens: str(happens.__name__),
)
def test_a_summary_is_right_after_whatever_happens_to_a_benchmark(happens: Callable[[records.Claim], None]) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1), scored(0.7, explanation=EXPLAINED))
    stage.finish(model, stage.add_version(3), scored(0.6))
    stage.queue(model, stage.add_version(4), incompatible="There is no column rms.")
    stage.queue(model, stage.add_version(5))
    stage.fail(model, stage.add_version(6), now=LATER)
    happens(stage.run(model, stage.add_version(7)))
    assert kept(model) == said(model)


def test_a_model_without_benchmarks_has_none_to_sum_up() -> None:
    model = stage.add_model()
    assert kept(model) == said(model)
    assert kept(model)["result"] is None


def test_many_models_are_summed_up_each_by_its_own_benchmarks() -> None:
    models = [stage.add_model(f"Forest-1.0.0-{number}") for number in range(3)]
    versions = [stage.add_version(number) for number in (1, 2)]
    for place, model in enumerate(models):
        for version in versions:
            stage.finish(model, version, scored(0.5 + place / 10 + version / 100))
    newest = Benchmark.objects.filter(dataset_version=versions[1], model__in=models[1:])
    assert records.run_again_all(newest.values("pk"), now=LATER) == 2
    assert [kept(model) for model in models] == [said(model) for model in models]
    assert [kept(model)["unfinished"] for model in models] == [0, 1, 1]


def test_a_benchmark_s_row_keeps_its_primary_metric_until_there_is_a_new_one() -> None:
    model, version = stage.add_model(), stage.add_version()
    benchmark = stage.finish(model, version, scored(0.7))
    records.run_again(benchmark, now=LATER)
    row = Benchmark.objects.get(pk=benchmark)
    assert (row.score, row.greater_is_better) == (0.7, True)
    assert [row.low, row.high] == pytest.approx([0.6, 0.8])
    claim = records.claim(benchmark, engine="one", lease=stage.LEASE, now=LATER)
    assert claim is not None
    records.finish(claim, result(f1=None), primary_metric="f1", now=LATER)
    assert Benchmark.objects.get(pk=benchmark).score is None
    assert kept(model) == said(model)
