"""Every read that the dashboard makes."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from atlas.results import BenchmarkResult, Explanation
from atlas.states import ComponentState, Level, ModelState, State
from storage import alerting, queries, records
from storage.components import FORGOTTEN, component_of_engine
from tests import stage
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db

EXPLAINED = Explanation(method="TreeExplainer", output="value", outputs=("cost",), rows=30)


def listed(model: int) -> Any:
    return queries.models().get(pk=model)


def page(benchmark: int) -> queries.BenchmarkPage:
    found = queries.benchmark_page(benchmark)
    assert found is not None
    return found


# Home ---------------------------------------------------------------------------------------------------------------


def test_the_counters_count_what_is_usable() -> None:
    model = stage.add_model(tags=("impacts", "winter"))
    stage.add_model("Linear-1.0.0-2")
    stage.add_invalid_file("broken.atlas", "no zip")
    records.record_unused_file(stage.file("copy.atlas"), ModelState.DUPLICATE, name="Forest-1.0.0-1", reason="a copy")
    stage.finish(model, stage.add_version(1))
    stage.queue(model, stage.add_version(2))
    found = queries.counters()
    assert (found.models, found.invalid_files, found.tags, found.versions, found.authors) == (2, 1, 2, 2, 1)
    assert (found.done, found.running, found.queued, found.failed) == (1, 0, 1, 0)


def test_the_pipeline_s_components_are_known_before_they_speak() -> None:
    records.report_status("mail", ComponentState.HEALTHY, "sent", now=NOON)
    records.report_status("engine", ComponentState.HEALTHY, "idle", now=NOON)
    found = queries.components(NOON, queued=0)
    assert [component.name for component in found] == ["ingestion", "training", "storage", "engine", "mail"]
    assert [component.state for component in found[:4]] == [None, None, None, ComponentState.HEALTHY]
    assert [component.troubled for component in found] == [False] * 5


@pytest.mark.parametrize(
    ("name", "age", "state", "silent"),
    [
        ("engine", queries.SILENCE, ComponentState.HEALTHY, False),
        ("engine", queries.SILENCE + timedelta(seconds=1), ComponentState.DOWN, True),
        ("training", timedelta(days=9), ComponentState.HEALTHY, False),
    ],
)
def test_a_component_that_is_silent_for_too_long_is_down(
    name: str, age: timedelta, state: ComponentState, silent: bool
) -> None:
    records.report_status(name, ComponentState.HEALTHY, "idle", now=NOON)
    component = next(each for each in queries.components(NOON + age, queued=0) if each.name == name)
    assert (component.state, component.silent, component.troubled) == (state, silent, silent)


def test_an_engine_that_does_not_answer_is_down_and_benchmarks_wait_for_it() -> None:
    def engine(now: datetime = NOON) -> queries.Component:
        return next(each for each in queries.components(now, queued=3) if each.name == "engine")

    assert (engine().state, engine().waiting) == (ComponentState.DOWN, 3)
    records.report_status("engine", ComponentState.HEALTHY, "idle", now=NOON)
    assert (engine().state, engine().waiting) == (ComponentState.HEALTHY, 0)
    later = engine(NOON + timedelta(hours=1))
    assert (later.state, later.waiting) == (ComponentState.DOWN, 3)


def _engines(now: datetime = NOON) -> dict[str, ComponentState | None]:
    return {each.name: each.state for each in queries.components(now, queued=0) if each.name.startswith("engine")}


def _lives(engine: str, now: datetime = NOON) -> None:
    for component in ("engine", component_of_engine(engine)):
        records.report_status(component, ComponentState.HEALTHY, "idle", now=now)


def test_a_single_engine_is_one_component() -> None:
    _lives("GPU 1")
    assert _engines() == {"engine": ComponentState.HEALTHY}


def test_of_several_engines_the_one_that_died_is_down() -> None:
    later = NOON + timedelta(minutes=5)
    _lives("GPU 1")
    _lives("GPU 2", later)
    healthy, down = ComponentState.HEALTHY, ComponentState.DOWN
    assert _engines(later) == {"engine": healthy, "engine GPU 1": down, "engine GPU 2": healthy}
    assert {each.logged_as for each in queries.components(later, queued=0) if each.name in _engines()} == {"engine"}
    told = {part.name: part.is_down for part in alerting.parts(later, listening_since=NOON)}
    assert told == {"engine": False, "engine GPU 1": True, "engine GPU 2": False}


def test_an_engine_that_said_goodbye_is_not_missed() -> None:
    _lives("GPU 1")
    _lives("GPU 2")
    records.say_goodbye(component_of_engine("GPU 1"))
    assert _engines() == {"engine": ComponentState.HEALTHY}


def test_an_engine_that_nobody_started_again_for_a_day_is_forgotten() -> None:
    _lives("GPU 1")
    for engine in ("GPU 2", "GPU 3"):
        _lives(engine, NOON + FORGOTTEN)
    assert "engine GPU 1" in _engines(NOON + FORGOTTEN)
    assert "engine GPU 1" not in _engines(NOON + FORGOTTEN + timedelta(seconds=1))


def test_the_name_of_an_engine_may_be_longer_than_that_of_a_component() -> None:
    _lives("x" * 100)
    assert _engines() == {"engine": ComponentState.HEALTHY}


def test_a_pause_is_known_while_it_lasts() -> None:
    assert queries.pause() is None
    records.pause(by="ilse", reason="the disk is full", now=NOON)
    pause = queries.pause()
    assert pause is not None
    assert (pause.by, pause.reason, pause.since) == ("ilse", "the disk is full", NOON)
    records.resume()
    assert queries.pause() is None


def test_how_long_a_model_takes_is_known_from_its_last_benchmark_and_best_from_its_own() -> None:
    def took(seconds: float) -> BenchmarkResult:
        return result(costs=result().costs.model_copy(update={"wall_seconds": seconds}))

    model, newest = stage.add_model(), stage.add_version(3)
    running = stage.run(model, newest)
    assert page(running.benchmark).duration is None
    first = stage.finish(model, stage.add_version(1), took(5), now=NOON)
    stage.finish(model, stage.add_version(2), took(7), now=NOON + timedelta(hours=1))
    stage.finish(stage.add_model("Other-1.0.0-2"), newest, took(9), now=NOON + timedelta(hours=2))
    assert page(running.benchmark).duration == queries.Duration(7, 0.1, 0.01, 30)
    assert page(first).duration == queries.Duration(5, 0.1, 0.01, 30)


def test_invalid_files_count_from_a_moment_on() -> None:
    stage.add_invalid_file("old.atlas", "no zip", arrived=NOON - timedelta(seconds=1))
    stage.add_invalid_file("new.atlas", "no zip", arrived=NOON)
    assert [file.name for file in queries.invalid_files_since(NOON)] == ["new.atlas"]


def test_a_tag_with_a_problem_is_troubled() -> None:
    stage.add_model(tags=("impacts", "winter"))
    records.record_tag_problem("winter", "no such tag")
    assert [tag.name for tag in queries.troubled_tags()] == ["winter"]


# Models -------------------------------------------------------------------------------------------------------------


def test_models_come_newest_first_and_without_copies() -> None:
    old = stage.add_model()
    new = stage.add_model("Linear-1.0.0-2", arrived=NOON + timedelta(days=1))
    records.record_unused_file(stage.file("copy.atlas"), ModelState.DUPLICATE, name="Forest-1.0.0-1", reason="a copy")
    broken = stage.add_invalid_file("broken.atlas", "no zip", arrived=NOON + timedelta(days=2))
    assert [model.pk for model in queries.models()] == [broken, new, old]
    assert [model.pk for model in queries.latest_models(1)] == [new]


def test_a_model_s_benchmarks_are_counted_by_how_they_stand() -> None:
    model = stage.add_model(tags=("impacts", "winter"))
    stage.finish(model, stage.add_version(1))
    stage.finish(model, stage.add_version(2))
    stage.fail(model, stage.add_version(3))
    stage.run(model, stage.add_version(4))
    stage.queue(model, stage.add_version(5))
    stage.queue(model, stage.add_version(6), incompatible="no column rms")
    row = listed(model)
    assert (row.possible, row.done, row.running, row.unfinished, row.failed) == (5, 2, 1, 2, 1)
    empty = listed(stage.add_model("Linear-1.0.0-2"))
    assert (empty.possible, empty.done, empty.result, empty.score) == (0, 0, None, None)


def test_a_model_s_score_is_that_on_the_newest_version_that_is_done() -> None:
    model = stage.add_model()
    newest = stage.finish(model, stage.add_version(2), result(f1=0.9))
    stage.finish(model, stage.add_version(1), result(f1=0.7), now=NOON + timedelta(days=9))
    stage.queue(model, stage.add_version(3))
    assert (listed(model).score, listed(model).result) == (0.9, newest)


def test_a_model_s_explanation_is_the_newest_that_there_is() -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1), result(explanation=EXPLAINED))
    newest = stage.finish(model, stage.add_version(2), result(explanation=EXPLAINED))
    assert (listed(model).explained_on, listed(model).unexplained) == (newest, "")
    stage.finish(model, stage.add_version(3), result(explanation=Explanation(impossible="too many columns")))
    assert (listed(model).explained_on, listed(model).unexplained) == (newest, "too many columns")


def test_a_model_s_trouble_is_why_its_latest_benchmark_failed() -> None:
    model = stage.add_model()
    stage.fail(model, stage.add_version(1), "out of memory")
    stage.queue(model, stage.add_version(2), incompatible="no column rms", now=NOON + timedelta(days=1))
    stage.finish(model, stage.add_version(3), now=NOON + timedelta(days=2))
    assert listed(model).trouble == "no column rms"


def test_a_trend_is_that_of_the_tag_with_the_latest_version() -> None:
    model, other = stage.add_model(tags=("impacts", "winter")), stage.add_model("Linear-1.0.0-2")
    stage.finish(model, stage.add_version(5, tag="winter"), result(f1=0.1))
    stage.finish(model, stage.add_version(1), result(f1=0.7))
    stage.finish(model, stage.add_version(9), result(f1=0.8))
    stage.finish(model, stage.add_version(6), result(f1=None))
    stage.finish(other, stage.add_version(7), result(f1=0.5))
    assert queries.trends([model]) == {model: [0.7, 0.8]}


def test_the_choices_of_the_filters_are_those_of_usable_models() -> None:
    stage.add_model(tags=("winter", "impacts"))
    stage.add_model("Linear-1.0.0-2", use_case="dent finder", author={"name": "Ana", "email": "ana@example.org"})
    stage.add_invalid_file("broken.atlas", "no zip")
    assert queries.use_cases() == ["damage detector", "dent finder"]
    assert queries.authors() == ["Ana", "Ines Prado"]
    assert queries.tags() == ["impacts", "winter"]


def test_a_model_s_page_has_the_log_of_its_benchmarks_too() -> None:
    model, other = stage.add_model(), stage.add_model("Linear-1.0.0-2")
    version = stage.add_version()
    records.log("engine", "arrived", now=NOON, model=model)
    records.log("engine", "done", now=NOON + timedelta(seconds=1), benchmark=stage.finish(model, version))
    records.log("engine", "other", now=NOON, level=Level.ERROR, benchmark=stage.finish(other, version))
    found = queries.model_page(model)
    assert found is not None
    assert [entry.message for entry in found.log] == ["done", "arrived"]


def test_what_does_not_exist_has_no_page() -> None:
    assert queries.model_page(1) is None
    assert queries.benchmark_page(1) is None
    assert queries.dataset_page("impacts") is None


# Benchmarks ---------------------------------------------------------------------------------------------------------


def test_a_benchmark_is_compared_with_the_nearest_version_before_that_has_a_value() -> None:
    model, other = stage.add_model(tags=("impacts", "winter")), stage.add_model("Linear-1.0.0-2")
    stage.finish(model, stage.add_version(1), result(f1=0.7))
    stage.finish(model, stage.add_version(2), result(f1=0.8))
    stage.finish(model, stage.add_version(3), result(f1=None))
    stage.fail(model, stage.add_version(4))
    stage.finish(model, stage.add_version(1, tag="winter"), result(f1=0.1))
    stage.finish(other, stage.add_version(5), result(f1=0.2))
    newest = stage.finish(model, stage.add_version(6), result(f1=0.9))
    row: Any = queries.benchmarks().get(pk=newest)
    assert (row.score, row.metric, row.earlier_score) == (0.9, "f1", 0.8)


def test_benchmarks_stand_as_running_then_ended_then_waiting() -> None:
    model = stage.add_model()
    waiting = stage.queue(model, stage.add_version(1))
    early = stage.finish(model, stage.add_version(2), now=NOON)
    late = stage.fail(model, stage.add_version(3), now=NOON + timedelta(seconds=1))
    running = stage.run(model, stage.add_version(4)).benchmark
    assert [row.pk for row in queries.benchmarks_as_they_stand()] == [running, late, early, waiting]


def previous_of(model: int) -> str | None:
    found = queries.model_page(model)
    assert found is not None
    return found.previous.model.name if found.previous else None


@pytest.mark.parametrize(
    ("earlier", "name", "is_previous"),
    [
        ("Forest-1.0.0-1", "Forest-1.1.0-2", True),
        ("Forest-1.0.0", "Forest-1.1.0", True),
        ("Forest-20260101", "Forest-20260201", True),
        ("Forest-1.0.0-1", "Forest-20260201", True),
        ("Forest-Deep-1.0.0-1", "Forest-1.1.0-2", False),
        ("forest-1.0.0-1", "Forest-1.1.0-2", False),
        ("ResNet-18", "ResNet-50", False),
        ("Forest_1.0.0-1", "ForestX1.1.0-2", False),
    ],
)
def test_the_previous_version_of_a_model_has_its_name_but_for_version_and_time_stamp(
    earlier: str, name: str, is_previous: bool
) -> None:
    stage.add_model(earlier, version="1.0.0", created=NOON - timedelta(days=1))
    assert previous_of(stage.add_model(name, version="1.1.0")) == (earlier if is_previous else None)


def test_the_previous_version_is_the_latest_that_was_made_before() -> None:
    for day, version in enumerate(("1.2.0", "1.0.0", "1.1.0")):
        stage.add_model(f"Forest-{version}-1", version=version, created=NOON + timedelta(days=day))
    assert previous_of(stage.add_model("Forest-1.3.0-1", version="1.3.0", created=NOON + timedelta(days=2))) == (
        "Forest-1.0.0-1"
    )


def test_a_model_for_another_use_is_no_previous_version() -> None:
    stage.add_model("Forest-1.0.0-1", use_case="scratch finder", created=NOON - timedelta(days=1))
    stage.add_invalid_file("Forest-0.9.0-1.atlas", "no zip", arrived=NOON - timedelta(days=1))
    assert previous_of(stage.add_model("Forest-1.1.0-1", version="1.1.0")) is None
    assert previous_of(stage.add_invalid_file("Forest-2.0.0-1.atlas", "no zip")) is None


def test_the_previous_version_costs_two_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(1, 9):
        stage.add_model(f"Forest-1.0.0-{number}", created=NOON - timedelta(days=number))
    found = queries.model_page(stage.add_model("Forest-1.0.0-9"))
    assert found is not None
    with django_assert_num_queries(2):
        assert found.previous is not None
    assert found.previous.model.name == "Forest-1.0.0-1"
    assert page(stage.queue(found.model.pk, stage.add_version())).previous == found.previous


def test_a_history_is_of_the_models_the_tag_and_the_metric_that_are_asked_for() -> None:
    model, other = stage.add_model(tags=("impacts", "winter")), stage.add_model("Linear-1.0.0-2")
    stage.finish(model, stage.add_version(2), result(f1=0.8))
    stage.finish(model, stage.add_version(1), result(f1=None))
    stage.finish(model, stage.add_version(1, tag="winter"), result(f1=0.1))
    stage.finish(other, stage.add_version(3), result(f1=0.5))
    everything = queries.history([model])
    assert [(point.tag, point.version, point.metric) for point in everything] == [
        ("impacts", 1, "accuracy"),
        ("impacts", 2, "accuracy"),
        ("impacts", 2, "f1"),
        ("winter", 1, "accuracy"),
        ("winter", 1, "f1"),
    ]
    found = queries.history([model, other], tag="impacts", metric="f1")
    assert [(point.model, point.version, point.value) for point in found] == [
        ("Forest-1.0.0-1", 2, 0.8),
        ("Linear-1.0.0-2", 3, 0.5),
    ]


def test_the_standings_are_of_the_use_case_on_the_version_and_ties_share_a_place() -> None:
    version = stage.add_version()
    own = stage.finish(stage.add_model("Own-1.0.0-1"), version, result(f1=0.8))
    for name, f1 in (("Best-1.0.0-1", 0.9), ("Same-1.0.0-1", 0.8), ("Worst-1.0.0-1", 0.1), ("Silent-1.0.0-1", None)):
        stage.finish(stage.add_model(name), version, result(f1=f1))
    stage.finish(stage.add_model("Other-1.0.0-1", use_case="dent finder"), version, result(f1=0.99))
    found = page(own)
    assert [(each.place, each.name) for each in found.standings] == [
        (1, "Best-1.0.0-1"),
        (2, "Own-1.0.0-1"),
        (2, "Same-1.0.0-1"),
        (4, "Worst-1.0.0-1"),
    ]
    assert found.standing is not None
    assert found.standing.place == 2
    assert [point.model for point in found.rivals("f1", 2)] == ["Best-1.0.0-1", "Same-1.0.0-1"]


def test_where_less_is_better_the_least_is_the_best() -> None:
    version = stage.add_version()
    fields: dict[str, Any] = {"metrics": ("log_loss", "f1"), "primary_metric": "log_loss"}

    def finished(name: str, loss: float) -> int:
        value = result().metrics[0].model_copy(update={"name": "log_loss", "value": loss, "greater_is_better": False})
        return stage.finish(stage.add_model(name, **fields), version, result(metrics=(value,)))

    finished("Better-1.0.0-1", 0.1)
    assert [each.name for each in page(finished("Worse-1.0.0-1", 0.9)).standings] == ["Better-1.0.0-1", "Worse-1.0.0-1"]


def test_a_benchmark_s_page_knows_the_version_before_and_the_model_s_other_benchmarks() -> None:
    model = stage.add_model()
    first = stage.finish(model, stage.add_version(1), result(f1=0.7))
    failed = stage.fail(model, stage.add_version(2))
    newest = page(stage.finish(model, stage.add_version(3)))
    assert newest.earlier is not None
    assert newest.earlier.pk == first
    assert {name: metric.value for name, metric in newest.earlier_metrics.items()} == {"f1": 0.7, "accuracy": 0.9}
    assert [other.pk for other in newest.others] == [failed, first]


def test_a_benchmark_s_page_knows_which_versions_and_which_other_models_are_explained() -> None:
    forest, linear, other = (stage.add_model(name) for name in ("Forest-1.0.0-1", "Linear-1.0.0-2", "Other-1.0.0-3"))
    elsewhere = stage.add_model("Scratches-1.0.0-4", use_case="scratch finder")
    first, second, winter = stage.add_version(1), stage.add_version(2), stage.add_version(1, tag="winter")
    explained = result(explanation=EXPLAINED)
    own = [stage.finish(forest, version, explained) for version in (second, first)]
    rival = stage.finish(linear, second, explained)
    for model, version in ((other, second), (forest, stage.add_version(3))):
        stage.finish(model, version)
    for model, version in ((elsewhere, second), (forest, winter), (linear, first)):
        stage.finish(model, version, explained)
    shown = page(own[0])
    assert [(each.benchmark, each.version) for each in shown.explained_versions] == [(own[1], 1), (own[0], 2)]
    assert [(each.benchmark, each.model) for each in shown.explained_rivals] == [(rival, "Linear-1.0.0-2")]
    assert set(queries.explanations([*own, stage.finish(other, first)])) == set(own)


def test_a_model_s_page_knows_its_newest_explanation() -> None:
    model = stage.add_model()
    found = queries.model_page(model)
    assert found is not None
    assert found.explained_on is None
    newest = [stage.finish(model, stage.add_version(number), result(explanation=EXPLAINED)) for number in (1, 2)][-1]
    stage.finish(model, stage.add_version(3))
    assert queries.ModelPage(found.model).explained_on == newest


def test_a_benchmark_that_waits_has_an_empty_page() -> None:
    found = page(stage.queue(stage.add_model(), stage.add_version()))
    assert found.benchmark.state == State.QUEUED
    assert (found.metrics, found.primary, found.standings, found.standing) == ([], None, [], None)
    assert (found.confusion_matrix, found.residuals, found.explanation, found.provenance) == (None, None, None, None)
    assert (found.earlier, found.earlier_metrics, found.hyperparameters, found.others) == (None, {}, [], [])


# Datasets -----------------------------------------------------------------------------------------------------------


def test_a_dataset_is_counted_once_for_each_version_and_model() -> None:
    for name in ("Forest-1.0.0-1", "Linear-1.0.0-2", "Tree-1.0.0-3"):
        stage.add_model(name)
    stage.add_version(1, rows=100)
    stage.add_version(2, rows=90)
    row: Any = queries.datasets().get()
    assert (row.newest, row.versions_known, row.models_benchmarked) == (2, 2, 3)
    assert (row.query_id, row.rows, row.updated) == ("impacts-v2", 90, NOON + timedelta(days=2))


@pytest.mark.parametrize(("asked", "shown", "before"), [(None, 3, 2), (3, 3, 2), (2, 2, 1), (1, 1, None)])
def test_a_dataset_s_page_is_of_one_version_and_the_one_before(
    asked: int | None, shown: int, before: int | None
) -> None:
    for number in (2, 3, 1):
        stage.add_version(number)
    found = queries.dataset_page("impacts", asked)
    assert found is not None
    assert [version.number for version in found.versions] == [1, 2, 3]
    assert found.description is not None
    assert found.description.number == shown
    assert (found.earlier and found.earlier.number) == before


def test_a_version_that_there_is_not_has_no_page_but_a_tag_without_versions_has_one() -> None:
    stage.add_model()
    assert queries.dataset_page("impacts", 1) is None
    found = queries.dataset_page("impacts")
    assert found is not None
    assert (found.versions, found.version, found.description, found.earlier) == ([], None, None, None)


def test_the_descriptions_of_other_versions_are_not_read(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(1, 6):
        stage.add_version(number)
    with django_assert_num_queries(3):
        found = queries.dataset_page("impacts", 4)
        assert found is not None
        assert found.description is not None
        assert found.earlier is not None
        assert found.earlier.number == 3


# Log ----------------------------------------------------------------------------------------------------------------


def test_the_log_is_read_at_once_with_what_it_is_about(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    model = stage.add_model()
    benchmark = stage.finish(model, stage.add_version())
    records.log("engine", "first", now=NOON, model=model)
    records.log("storage", "second", now=NOON + timedelta(seconds=1), benchmark=benchmark)
    with django_assert_num_queries(1):
        assert [(entry.message, str(entry.benchmark), str(entry.model)) for entry in queries.log()] == [
            ("second", "Forest-1.0.0-1 on impacts v1", "None"),
            ("first", "None", "Forest-1.0.0-1"),
        ]
    assert queries.log_components() == ["engine", "storage"]
