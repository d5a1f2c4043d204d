"""The page of one event."""

import json
import re
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pytest
from django.utils.html import escape
from pytest_django import Settings

from atlas_web.pages import event
from explainability.explained import Explained
from storage.objects import open_store
from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.atlas_web.explaining import SAMPLES, VALUES, events, explain, put
from tests.samples import result

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def wrong_one(of: Explained) -> int:
    return int(np.flatnonzero(of.truth != of.predicted)[0])


def right_one(of: Explained) -> int:
    return int(np.flatnonzero(of.truth == of.predicted)[0])


def charts(html: str) -> dict[str, Any]:
    found = re.findall(r'<script id="([^"]+)-data" type="application/json">(.*?)</script>', html, re.DOTALL)
    return {name: json.loads(content) for name, content in found}


def test_a_wrong_event_has_a_waterfall_for_what_was_predicted_and_one_for_what_is_true(read: Read) -> None:
    of = events()
    place = wrong_one(of)
    truth, predicted = of.truth[place], of.predicted[place]
    shown = read(f"/benchmarks/{explain(of)}/events/{of.ids[place]}/")
    confidence = f"{100 * of.confidence[place]:.0f}"
    assert f"Predicted as {predicted}, with a confidence of {confidence} %, but truly {truth}." in shown.text
    assert f"What speaks for {predicted}" in shown.text
    assert f"What speaks for {truth}" in shown.text
    outputs = [of.findings.outputs.index(label) for label in (predicted, truth)]
    drawn = charts(shown.html)
    for output in outputs:
        chart = drawn[f"waterfall-{output}"]
        assert chart["answer"] == pytest.approx(of.findings.answers[place, output], abs=1e-6)
        assert chart["base"] + sum(chart["effects"]) == pytest.approx(chart["answer"], abs=1e-6)


def test_a_right_event_has_one_waterfall(read: Read) -> None:
    of = events()
    shown = read(f"/benchmarks/{explain(of)}/events/{of.ids[right_one(of)]}/")
    assert "which is right." in shown.text
    assert shown.text.count("What speaks for") == 1


@pytest.mark.parametrize(("classes", "says"), [(2, "Predicted as"), (1, "Predicted ")])
def test_a_model_with_one_output_has_one_waterfall(read: Read, classes: int, says: str) -> None:
    of = events(classes=classes)
    shown = read(f"/benchmarks/{explain(of)}/events/{of.ids[3]}/")
    assert says in shown.text
    assert [name for name in charts(shown.html) if name.startswith("waterfall")] == ["waterfall"]


def test_a_regression_says_how_far_it_is_off(read: Read) -> None:
    of = events(classes=1)
    text = read(f"/benchmarks/{explain(of)}/events/{of.ids[0]}/").text
    assert "off by" in text
    assert "Off by" in text
    assert "The prediction is moved most by" in text
    assert "Wrong" not in text


def test_what_moves_the_answer_most_is_said_in_words(read: Read) -> None:
    of = events()
    place = right_one(of)
    strongest = of.findings.features[
        np.abs(of.findings.values[place, :, of.findings.outputs.index(of.predicted[place])]).argmax()
    ]
    text = read(f"/benchmarks/{explain(of)}/events/{of.ids[place]}/").text
    assert f"The probability of {of.predicted[place]} is moved most by {strongest} = " in text


def test_nearest_right_neighbours_stand_beside_it_and_lead_to_their_pages(read: Read) -> None:
    of = events()
    place = wrong_one(of)
    pk = explain(of)
    shown = read(f"/benchmarks/{pk}/events/{of.ids[place]}/")
    assert "Where the decision goes wrong" in shown.text
    assert f"Nearest {of.truth[place]} Nearest {of.predicted[place]} Looks like" in shown.text
    assert len(re.findall(rf'href="/benchmarks/{pk}/events/event-\d+/"', shown.html)) >= 2


def test_a_second_opinion_is_marked_as_an_approximation(read: Read) -> None:
    of = events(local=20)
    pk = explain(of)
    shown = read(f"/benchmarks/{pk}/events/{of.ids[0]}/")
    assert "Second opinion Approximation" in shown.text
    assert "Both say the same of all features that matter." in shown.text
    assert "Second opinion" not in read(f"/benchmarks/{pk}/events/{of.ids[50]}/").text


def test_a_second_opinion_that_differs_is_said(read: Read) -> None:
    of = events()
    other = -of.findings.values[:20]
    of = replace(of, findings=replace(of.findings, local=other))
    assert "They disagree on peak_" in read(f"/benchmarks/{explain(of)}/events/{of.ids[0]}/").text


def test_previous_and_next_follow_the_list_that_it_was_opened_from(read: Read) -> None:
    of = events()
    wrong = sorted(of.ids[of.truth != of.predicted])
    address = f"/benchmarks/{explain(of)}/events/"
    shown = read(f"{address}{wrong[1]}/?judged=wrong&sort=id")
    assert f'rel="prev" href="{address}{wrong[0]}/?sort=id&amp;judged=wrong"' in shown.html
    assert f'rel="next" href="{address}{wrong[2]}/?sort=id&amp;judged=wrong"' in shown.html
    assert f"2 of {len(wrong)} explained events" in shown.text
    first = read(f"{address}{wrong[0]}/?judged=wrong&sort=id").html
    assert 'rel="prev"' not in first
    assert 'rel="next"' in first


def test_a_filter_that_nobody_understands_stands_for_all_events(read: Read) -> None:
    of = events()
    assert "of 120 explained events" in read(f"/benchmarks/{explain(of)}/events/{of.ids[0]}/?truth=nonsense").text


def test_an_event_that_was_not_explained_says_so(read: Read) -> None:
    shown = read(f"/benchmarks/{explain()}/events/other-3/")
    assert shown.status == 200
    assert "This event was not explained." in shown.text
    assert charts(shown.html) == {}


def test_a_model_without_an_explanation_has_pages_of_its_events(read: Read) -> None:
    text = read(f"/benchmarks/{explain(impossible='It has no features.')}/events/event-0000/").text
    assert "This model has no explanation. It has no features." in text


def test_an_explanation_that_is_gone_is_said_to_be_gone(read: Read, settings: Settings) -> None:
    pk = explain()
    open_store(str(settings.ATLAS_OBJECT_STORE)).delete(VALUES)
    text = read(f"/benchmarks/{pk}/events/event-0000/").text
    assert "Why it was predicted so is not known. The file is no longer in the object store." in text


@pytest.mark.parametrize("address", ["/benchmarks/{pk}/events/nobody/", "/benchmarks/99/events/event-0000/"])
def test_what_does_not_exist_is_not_found(read: Read, address: str) -> None:
    assert read(address.format(pk=explain())).status == 404


def test_an_event_without_predictions_says_why(read: Read) -> None:
    pk = stage.finish(stage.add_model(), stage.add_version(), result())
    assert "The benchmark has kept no predictions: " in read(f"/benchmarks/{pk}/events/a/").text


@pytest.mark.parametrize("name", ["2026/03/02 12:00", "a b&c?d#e", "ä%2F"])
def test_any_id_has_an_address(read: Read, name: str) -> None:
    of = events(20)
    of.ids[0] = name
    html = read(f"/benchmarks/{explain(of)}/events/").html
    (link,) = re.findall(rf'<a class="mono" href="([^"]*)">{re.escape(escape(name))}</a>', html)
    assert f"Event {name}" in read(unescape(link)).text


def test_the_dataset_s_columns_are_loaded_on_their_own(read: Read) -> None:
    of = events()
    pk = explain(of)
    assert f'hx-get="/benchmarks/{pk}/signals/{of.ids[7]}/"' in read(f"/benchmarks/{pk}/events/{of.ids[7]}/").html
    shown = read(f"/benchmarks/{pk}/signals/{of.ids[7]}/")
    assert (charts(shown.html)["signal-1"]["name"], charts(shown.html)["signal-1"]["count"]) == ("shock", SAMPLES)
    assert f"id {of.ids[7]} car car-7 speed" in shown.text


def test_rows_that_were_not_kept_are_said_so(read: Read) -> None:
    pk = explain()
    assert "Of so large events only some were kept" in read(f"/benchmarks/{pk}/signals/other-1/").text
    other = explain(version=2, events_key="")
    assert "The benchmark has kept no rows" in read(f"/benchmarks/{other}/signals/event-0000/").text
    assert "signals/" not in read(f"/benchmarks/{other}/events/event-0000/").html


def test_a_file_that_holds_no_rows_is_named(read: Read) -> None:
    put("explanations/other.parquet", b"PAR1")
    pk = explain(events_key="explanations/other.parquet")
    assert "The file does not hold rows of a dataset" in read(f"/benchmarks/{pk}/signals/event-0000/").text


def test_a_page_s_queries_do_not_grow(queries_of: Count) -> None:
    few = queries_of(f"/benchmarks/{explain(events(30))}/events/event-0000/")
    assert queries_of(f"/benchmarks/{explain(events(600), version=2)}/events/event-0000/?judged=right") == few
    assert few <= 5


@pytest.mark.parametrize(
    ("pages", "name", "address"),
    [
        ("http://data.example/", "drive/12.500", "http://data.example/recordings/drive/signals/?from=10.5&to=14.5"),
        ("http://data.example", "a b/1.000", "http://data.example/recordings/a%20b/signals/?from=0&to=3"),
        ("http://data.example", "drive/first dent", "http://data.example/recordings/drive/signals/"),
        ("http://data.example", "digits-17", ""),
        ("", "drive/12.500", ""),
    ],
)
def test_an_event_leads_to_its_recording_if_some_page_shows_it(
    settings: Settings, pages: str, name: str, address: str
) -> None:
    settings.ATLAS_INGESTION_PAGES = pages
    assert event.recording_of(name) == address
