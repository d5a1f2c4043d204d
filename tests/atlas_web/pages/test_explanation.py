"""The page of an explanation."""

import json
import re
from typing import Any

import pytest
from pytest_django import Settings

from atlas.results import Importance
from storage.models import Benchmark
from tests import stage
from tests.atlas_web.conftest import Count, Read, Shown
from tests.atlas_web.explaining import document, events, explain
from tests.samples import result

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

EVENT_FIGURES = ["swarm", "decision", "dependence", "heat", "effect"]


def cards(shown: Shown) -> list[str]:
    return re.findall(r'<section class="card[^"]*" aria-labelledby="h-[^"]+" id="card-([^"]+)"', shown.html)


def loaded_later(shown: Shown) -> list[str]:
    return re.findall(r'hx-get="([^"]+)" hx-trigger="revealed"', shown.html)


def chart(shown: Shown, name: str) -> Any:
    found = re.search(rf'<script id="{name}-data"[^>]*>(.*?)</script>', shown.html, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_it_says_first_what_matters_and_how_it_was_found(read: Read) -> None:
    of = events()
    text = read(f"/benchmarks/{explain(of)}/explanation/").text
    first, second, third = (each.feature for each in document(of).importances[:3])
    assert "Values add up to the probability of intact" in text
    assert "Explained 120 of 1,200 events, and 30 of the worst" in text
    assert "Unknown means 100 rows of this dataset" in text
    assert f"Of the features, {first}, {second} and {third} have" in text
    assert "The values are estimates: each has a standard error of about 0.002." in text


def test_importances_are_there_at_once_and_all_else_is_loaded_when_it_comes_in_view(
    read: Read, settings: Settings
) -> None:
    pk = explain()
    settings.ATLAS_OBJECT_STORE = "s3://a:b@127.0.0.1:1/atlas?secure=false"
    shown = read(f"/benchmarks/{pk}/explanation/")
    assert shown.status == 200
    assert chart(shown, "importance")["features"][0] == "peak_0"
    assert loaded_later(shown) == [
        f"/benchmarks/{pk}/explanation/{name}/?output=intact" for name in [*EVENT_FIGURES, "surrogate"]
    ]


def test_an_output_is_chosen_in_the_address(read: Read) -> None:
    pk = explain()
    shown = read(f"/benchmarks/{pk}/explanation/?output=dent&feature=peak_1")
    assert "Values add up to the probability of dent" in shown.text
    assert "<option selected>dent</option>" in shown.html
    assert f"/benchmarks/{pk}/explanation/dependence/?output=dent&amp;feature=peak_1" in loaded_later(shown)
    assert f'href="/benchmarks/{pk}/explanation/values.csv?output=dent"' in shown.html


def test_an_output_that_the_model_has_not_is_answered_in_place(read: Read) -> None:
    shown = read(f"/benchmarks/{explain()}/explanation/?output=nonsense")
    assert shown.status == 200
    assert "This model has no output nonsense. It has intact, scratch, dent; the first one is shown." in shown.text
    assert "Values add up to the probability of intact" in shown.text


@pytest.mark.parametrize(("classes", "adds_up"), [(2, "the probability of scratch"), (1, "speed_kmh")])
def test_a_model_with_one_output_has_nothing_to_choose(read: Read, classes: int, adds_up: str) -> None:
    shown = read(f"/benchmarks/{explain(events(classes=classes))}/explanation/")
    assert f"Values add up to {adds_up}" in shown.text
    assert 'name="output"' not in shown.html


def test_importances_of_features_and_of_columns_are_switched_where_both_are_known(read: Read) -> None:
    columns = (Importance(feature="shock", mean_absolute=(0.2, 0.1, 0.1)),)
    pk = explain(column_importances=columns)
    shown = read(f"/benchmarks/{pk}/explanation/")
    assert "Features of the model Columns of the dataset" in shown.text
    assert chart(read(f"/benchmarks/{pk}/explanation/?of=columns"), "importance")["features"] == ["shock"]
    other = explain(version=2)
    assert "Columns of the dataset" not in read(f"/benchmarks/{other}/explanation/").text


def test_versions_and_other_models_have_cards_once_there_are_some(read: Read) -> None:
    first = explain()
    assert not {"history", "comparison"} & set(cards(read(f"/benchmarks/{first}/explanation/")))
    explain(model="Linear-1.0.0-2")
    assert "comparison" in cards(read(f"/benchmarks/{first}/explanation/"))
    model = Benchmark.objects.get(pk=first).model_id
    stage.finish(model, stage.add_version(2))
    assert "history" not in cards(read(f"/benchmarks/{first}/explanation/"))
    stage.finish(model, stage.add_version(3), result(explanation=document(events())))
    assert "history" in cards(read(f"/benchmarks/{first}/explanation/"))


def test_a_summary_alone_has_the_figures_that_it_is_enough_for(read: Read) -> None:
    shown = read(f"/benchmarks/{explain(values_key='')}/explanation/")
    assert cards(shown) == ["importance", "surrogate"]
    assert "The values of single events were not kept. Run the benchmark again" in shown.text
    assert "values.csv" not in shown.html


def test_a_margin_is_explained(read: Read) -> None:
    text = read(f"/benchmarks/{explain(output='margin')}/explanation/").text
    assert "Values add up to the margin of intact" in text
    assert "A margin is what the model turns into its answer: higher is more." in text


def test_approximations_are_marked(read: Read) -> None:
    text = read(f"/benchmarks/{explain()}/explanation/").text
    assert "Answer as one feature moves Approximation" in text
    assert "The model as a shallow tree Approximation" in text
    assert "it tells 62 % of how they vary, on events it never saw" in text


def test_an_explanation_that_is_not_possible_says_why(read: Read) -> None:
    shown = read(f"/benchmarks/{stage.finish(stage.add_model(), stage.add_version())}/explanation/")
    assert shown.status == 200
    assert "No explanation possible No explainer for this model" in shown.text


def test_a_benchmark_that_is_not_done_has_none_yet(read: Read) -> None:
    shown = read(f"/benchmarks/{stage.queue(stage.add_model(), stage.add_version())}/explanation/")
    assert shown.status == 200
    assert "No explanation yet There is none: the engine explains a model at the end of its benchmark" in shown.text


def test_what_does_not_exist_is_not_found(read: Read) -> None:
    assert read("/benchmarks/99/explanation/").status == 404


def test_benchmark_and_model_lead_here(read: Read) -> None:
    pk = explain()
    link = f'href="/benchmarks/{pk}/explanation/"'
    assert read(f"/benchmarks/{pk}/").html.count(link) == 2
    assert link in read(f"/models/{Benchmark.objects.get().model_id}/").html
    assert link in read("/models/").html


def test_the_page_s_queries_do_not_grow(queries_of: Count) -> None:
    pk = explain(events(30))
    few = queries_of(f"/benchmarks/{pk}/explanation/")
    for number in range(2, 6):
        explain(events(30), version=number, model="Linear-1.0.0-2")
    explain(events(200), model="Linear-1.0.0-3")
    assert queries_of(f"/benchmarks/{pk}/explanation/") == few
    assert few <= 7
