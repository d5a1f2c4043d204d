"""The matrix: a cell for each model and dataset version, what is missing and why."""

import csv
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from atlas.results import MetricValue, Progress
from atlas.states import ComponentState, Phase
from storage import records
from tests import stage
from tests.atlas_web.conftest import Count, Read, Shown
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db


def scored(f1: float) -> MetricValue:
    return MetricValue(name="f1", value=f1, low=f1 - 0.01, high=f1 + 0.01, greater_is_better=True)


def titles(shown: Shown) -> str:
    """What the page says on hover, in one line."""
    return " ".join(unescape(shown.html).replace("\N{MINUS SIGN}", "-").split())


def test_a_score_has_its_interval_its_change_and_what_stands_out_on_hover(read: Read) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1), result(metrics=(scored(0.9),)))
    newest = stage.finish(model, stage.add_version(2), result(metrics=(scored(0.8),)))
    shown = read("/matrix/")
    assert shown.rows() == ["damage detector F1, 0.806 to 0.900", "Forest-1.0.0 -1 0.900 0.800"]
    assert f'<a class="q1 is-best is-drop" href="/benchmarks/{newest}/"' in shown.html
    assert (
        "Forest-1.0.0 on impacts v2 F1 0.800 [0.790, 0.810] -0.100 since v1: more than noise "
        "Best of the use case on this version."
    ) in titles(shown)


def test_changes_are_shown_instead_of_scores(read: Read) -> None:
    model = stage.add_model()
    for number, f1 in enumerate((0.8, 0.9, 0.905, 0.85), start=1):
        newest = stage.finish(model, stage.add_version(number), result(metrics=(scored(f1),)))
    shown = read("/matrix/?show=change")
    assert shown.rows()[1] == "Forest-1.0.0 -1 - +0.100 +0.005 -0.055"
    for css in ("q0 is-best", "b3 is-best"):
        assert f'<a class="{css}" ' in shown.html
    assert f'<a class="w2 is-best is-drop" href="/benchmarks/{newest}/why/"' in shown.html


def test_a_cell_without_a_score_says_why(read: Read) -> None:
    model = stage.add_model()
    versions = [stage.add_version(number) for number in range(1, 6)]
    stage.fail(model, versions[0], "It is broken.")
    stage.queue(model, versions[1], incompatible="The column rms is missing.")
    claim = stage.run(model, versions[2], now=timezone.now())
    records.report_progress({claim: Progress(phase=Phase.PREDICTING, done=63, total=100)})
    stage.finish(model, versions[3], result(f1=None))
    shown = read("/matrix/")
    assert shown.rows()[1] == "Forest-1.0.0 -1 Failed Not possible 63 % Running - no value - no benchmark yet"
    said = titles(shown)
    assert "impacts v1 Failed: load error It is broken." in said
    assert "impacts v2 Not possible The column rms is missing." in said
    assert "impacts v4 no damage seen" in said


def test_a_missing_result_says_whether_anybody_will_plan_it(read: Read) -> None:
    stage.add_model()
    stage.add_version()
    assert "No benchmark yet: the engine has never run." in titles(read("/matrix/"))
    records.report_status("engine", ComponentState.HEALTHY, "", now=timezone.now())
    assert "No benchmark yet: the engine plans one when it looks next." in titles(read("/matrix/"))
    records.report_status("engine", ComponentState.HEALTHY, "", now=timezone.now() - timedelta(hours=1))
    assert "No benchmark yet: the engine is down." in titles(read("/matrix/"))


def test_what_waits_says_that_the_queue_is_paused(read: Read) -> None:
    stage.queue(stage.add_model(), stage.add_version())
    assert "paused" not in titles(read("/matrix/"))
    records.pause(by="ilse", reason="", now=NOON)
    assert "impacts v1 Queued The queue is paused by ilse." in titles(read("/matrix/"))


def test_a_stale_result_is_still_shown_and_says_why(read: Read) -> None:
    model, version = stage.add_model(), stage.add_version()
    records.run_again(stage.finish(model, version), now=NOON)
    assert "Stale: it is queued again, and this is its result so far." in titles(read("/matrix/"))
    records.record_replaced_file(stage.file("Forest-1.0.0-1.atlas"), "the file was replaced.")
    shown = read("/matrix/")
    assert "Stale: the file was replaced." in titles(shown)
    assert shown.rows()[1] == "Forest-1.0.0 -1 0.800"


def test_a_model_that_does_not_name_the_tag_has_a_dot(read: Read) -> None:
    stage.add_model()
    stage.add_version(tag="winter")
    shown = read("/matrix/")
    assert shown.rows()[1] == "Forest-1.0.0 -1 · not asked for"
    assert "The model does not name this dataset tag." in titles(shown)


def test_older_versions_and_more_models_are_a_link_away_and_keep_the_view(read: Read) -> None:
    for number in range(26):
        stage.add_model(f"Forest-1.0.0-{number}")
    for number in range(1, 15):
        stage.add_version(number)
    shown = read("/matrix/?show=change&tag=impacts")
    assert "The newest 12 of 14" in shown.text
    assert "1-25 of 26 models" in shown.text
    assert 'href="?show=change&amp;tag=impacts&amp;versions=2"' in shown.html
    older = read("/matrix/?show=change&tag=impacts&versions=2&page=2")
    assert "Versions 13 to 14 of 14" in older.text
    assert "26-26 of 26 models" in older.text
    assert len(older.rows()) == 2


def test_without_models_or_versions_the_page_says_what_to_do(read: Read) -> None:
    assert "No models yet" in read("/matrix/").text
    stage.add_model()
    assert "No dataset version yet" in read("/matrix/").text
    stage.add_version()
    assert "No model matches" in read("/matrix/?q=nothing").text


def test_a_choice_that_does_not_exist_is_named(read: Read) -> None:
    stage.finish(stage.add_model(), stage.add_version())
    shown = read("/matrix/?tag=nothing&page=x&per_page=7&versions=0&show=x")
    assert "Dataset tag: Select a valid choice. nothing is not one of the available choices." in shown.text
    assert len(shown.rows()) == 2


def test_the_matrix_is_a_file_too(read: Read) -> None:
    model = stage.add_model(author={"name": "=Ines", "email": "ines@example.org"})
    stage.finish(model, stage.add_version(1), result(metrics=(scored(0.875),)))
    stage.add_version(2)
    first, second = csv.DictReader(read("/matrix/?format=csv").html.splitlines())
    assert (first["model"], first["author"]) == ("Forest-1.0.0-1", "'=Ines")
    assert (first["version"], first["state"], first["value"]) == ("1", "done", "0.875")
    assert (second["version"], second["state"], second["value"]) == ("2", "missing", "")


@pytest.mark.parametrize("query", ["", "?show=change&tag=impacts&state=failed", "?metric=f1&state=missing"])
def test_the_page_s_queries_do_not_grow(queries_of: Count, fill: Callable[[int], None], query: str) -> None:
    fill(3)
    stage.add_version(9)
    few = queries_of(f"/matrix/{query}")
    fill(12)
    for number in range(4, 9):
        stage.add_version(number)
    assert queries_of(f"/matrix/{query}") == few
