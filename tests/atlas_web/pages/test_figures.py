"""The figures of an explanation one by one, and the values as a file."""

import csv
import io

import numpy as np
import pytest
from django.test import Client
from pytest_django import Settings

from atlas_web.figures import CARDS
from storage.models import Benchmark
from storage.objects import open_store
from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.atlas_web.explaining import VALUES, add_model, document, events, explain
from tests.atlas_web.pages.test_explanation import chart
from tests.samples import result

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

OF_ONE_EVENT = {"waterfall", "opinions"}
KINDS = {"decision": "paths", "effect": "effect_lines", "surrogate": "tree", "history": "importance_history"}
"""The kinds of charts whose figures have other names."""


@pytest.fixture
def explained() -> int:
    """The benchmark of a model that is explained on another version, and beside another model, too."""
    of = events()
    pk = explain(of)
    stage.finish(model_of(pk), stage.add_version(2), result(explanation=document(of)))
    stage.finish(add_model(of, "Linear-1.0.0-2"), version_of(pk), result(explanation=document(of)))
    return pk


def model_of(pk: int) -> int:
    return Benchmark.objects.get(pk=pk).model_id


def version_of(pk: int) -> int:
    return Benchmark.objects.get(pk=pk).dataset_version_id


@pytest.mark.parametrize("name", CARDS)
def test_each_figure_comes_on_its_card(read: Read, explained: int, name: str) -> None:
    event = "?event=event-0000" if name in OF_ONE_EVENT else ""
    shown = read(f"/benchmarks/{explained}/explanation/{name}/{event}")
    assert "No figure" not in shown.text
    assert f'data-chart="{KINDS.get(name, name)}"' in shown.html
    assert chart(shown, name)
    assert "<html" not in shown.html


@pytest.mark.parametrize("kind", ["svg", "png"])
@pytest.mark.parametrize("name", CARDS)
def test_each_figure_is_a_picture_for_reports(reader: Client, explained: int, name: str, kind: str) -> None:
    event = "&event=event-0000" if name in OF_ONE_EVENT else ""
    answer = reader.get(f"/benchmarks/{explained}/explanation/{name}.{kind}?output=dent{event}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == {"svg": "image/svg+xml", "png": "image/png"}[kind]
    assert answer["Content-Disposition"] == f'attachment; filename="Forest-1.0.0-1-impacts-v1-{name}.{kind}"'
    assert answer.content.startswith(b"\x89PNG" if kind == "png" else b"<?xml")


def test_an_output_and_a_feature_are_chosen(read: Read, explained: int) -> None:
    of = events()
    shown = read(f"/benchmarks/{explained}/explanation/dependence/?output=dent&feature=peak_2")
    found = chart(shown, "dependence")
    sampled = of.is_sampled
    assert (found["feature"], found["axis"]) == ("peak_2", "Effect on the probability of dent")
    np.testing.assert_allclose(found["effects"], of.findings.values[sampled, 2, 2], rtol=1e-5)
    assert '<option value="peak_2" selected>' in shown.html


@pytest.mark.parametrize(
    ("figure", "says"),
    [
        ("dependence/?feature=nonsense", "Feature: there is no nonsense. There are peak_0, peak_1,"),
        ("decision/?events=nonsense", "Events: there is no nonsense. There are random, wrong, unsure."),
        ("effect/?moved=peak_5", "Feature that moves: there is no peak_5. There are peak_0, peak_1, peak_2."),
        ("comparison/?with=99", "Other model: there is no 99."),
        ("waterfall/?event=nobody", "The event nobody was not explained."),
        ("opinions/?event=event-0099", "The event event-0099 has no second opinion."),
        ("swarm/?output=nonsense", "This model has no output nonsense."),
    ],
)
def test_what_cannot_be_chosen_is_said_in_place(read: Read, explained: int, figure: str, says: str) -> None:
    shown = read(f"/benchmarks/{explained}/explanation/{figure}")
    assert shown.status == 200
    assert says in shown.text


def test_the_page_s_address_says_what_was_chosen_on_it(reader: Client, explained: int) -> None:
    page = f"/benchmarks/{explained}/explanation/"
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}?events=wrong&feature=peak_1"}
    answer = reader.get(f"{page}dependence/?output=dent&feature=peak_2", headers=headers)
    assert answer["HX-Replace-Url"] == f"{page}?events=wrong&feature=peak_2&output=dent"
    assert "HX-Replace-Url" not in reader.get(f"{page}swarm/?output=dent", headers=headers).headers


def test_an_explanation_that_is_gone_is_said_to_be_gone(read: Read, reader: Client, settings: Settings) -> None:
    pk = explain()
    open_store(str(settings.ATLAS_OBJECT_STORE)).delete(VALUES)
    shown = read(f"/benchmarks/{pk}/explanation/swarm/")
    assert shown.status == 200
    assert "No figure The file is no longer in the object store." in shown.text
    assert reader.get(f"/benchmarks/{pk}/explanation/swarm.svg").status_code == 404
    assert reader.get(f"/benchmarks/{pk}/explanation/values.csv").status_code == 404


def test_the_tree_needs_no_events(read: Read) -> None:
    pk = explain(values_key="")
    assert chart(read(f"/benchmarks/{pk}/explanation/surrogate/"), "surrogate")["leaves"] == 2
    assert "The benchmark has kept no explained events." in read(f"/benchmarks/{pk}/explanation/swarm/").text


@pytest.mark.parametrize(
    "figure",
    ["nonsense/", "nonsense.svg", "swarm.pdf", "swarm.svg?output=nonsense", "values.csv?output=nonsense"],
)
def test_what_does_not_exist_is_not_found(reader: Client, explained: int, figure: str) -> None:
    assert reader.get(f"/benchmarks/{explained}/explanation/{figure}").status_code == 404


@pytest.mark.parametrize("figure", ["swarm/", "swarm.svg", "values.csv"])
def test_without_an_explanation_there_is_no_figure(reader: Client, figure: str) -> None:
    pk = stage.finish(stage.add_model(), stage.add_version())
    assert reader.get(f"/benchmarks/{pk}/explanation/{figure}").status_code == 404


def test_the_values_of_an_output_come_as_a_table(reader: Client) -> None:
    of = events()
    answer = reader.get(f"/benchmarks/{explain(of)}/explanation/values.csv?output=dent")
    assert answer.streaming
    assert answer["Content-Disposition"] == 'attachment; filename="Forest-1.0.0-1-impacts-v1-values.csv"'
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [row["id"] for row in rows] == of.ids.tolist()
    first = rows[0]
    effects = sum(float(first[f"effect of peak_{number}"]) for number in range(6))
    assert float(first["average"]) + effects == pytest.approx(float(first["answer"]), abs=1e-6)
    assert float(first["effect of peak_3"]) == pytest.approx(float(of.findings.values[0, 3, 2]), rel=1e-6)
    assert float(first["peak_3"]) == pytest.approx(float(of.findings.rows[0, 3]), rel=1e-6)
    assert (first["truth"], first["predicted"]) == (of.truth[0], of.predicted[0])


def test_values_and_pictures_are_only_read(reader: Client, explained: int) -> None:
    assert reader.post(f"/benchmarks/{explained}/explanation/values.csv").status_code == 405
    assert reader.post(f"/benchmarks/{explained}/explanation/swarm.svg").status_code == 405


@pytest.mark.parametrize("name", ["history", "comparison", "swarm"])
def test_a_figure_s_queries_do_not_grow(queries_of: Count, explained: int, name: str) -> None:
    few = queries_of(f"/benchmarks/{explained}/explanation/{name}/")
    for number in range(3, 7):
        model, version = model_of(explained), stage.add_version(number)
        stage.finish(model, version, result(explanation=document(events())))
        stage.finish(
            add_model(events(), f"Other-1.0.{number}-2"), version_of(explained), result(explanation=document(events()))
        )
    assert queries_of(f"/benchmarks/{explained}/explanation/{name}/") == few
