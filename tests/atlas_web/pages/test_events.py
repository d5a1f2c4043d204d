"""The list of a benchmark's events."""

import re

import numpy as np
import pytest
from pytest_django import Settings

from storage.objects import open_store
from tests import stage
from tests.atlas_web.conftest import Count, Read, Shown
from tests.atlas_web.explaining import PREDICTIONS, VALUES, events, explain, put
from tests.samples import result

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def ids(shown: Shown) -> list[str]:
    return [row.split()[0] for row in shown.rows()]


def linked(shown: Shown) -> list[str]:
    return re.findall(r'<a class="mono" href="(/benchmarks/\d+/events/[^"]*)"', shown.html)


def test_the_worst_come_first_with_truth_prediction_and_confidence(read: Read) -> None:
    of = events()
    wrong = np.flatnonzero(of.truth != of.predicted)
    worst = int(wrong[of.confidence[wrong].argmax()])
    shown = read(f"/benchmarks/{explain(of)}/events/")
    assert shown.rows()[0] == (
        f"{of.ids[worst]} {of.truth[worst]} {of.predicted[worst]} {100 * of.confidence[worst]:.1f} % Wrong yes"
    )
    assert f"150 events, {len(wrong)} of them wrong: those first that are wrong and confident." in shown.text
    assert [" Wrong " in row for row in shown.rows()] == [True] * len(wrong) + [False] * (25 - len(wrong))


def test_a_page_holds_no_more_than_its_size_and_there_is_a_next_one(read: Read) -> None:
    pk = explain()
    first, last = read(f"/benchmarks/{pk}/events/"), read(f"/benchmarks/{pk}/events/?page=6")
    assert len(ids(first)) == len(ids(last)) == 25
    assert not set(ids(first)) & set(ids(last))
    assert "1-25 of 150 events" in first.text
    assert len(ids(read(f"/benchmarks/{pk}/events/?per_page=100"))) == 100


def test_filters_show_one_cell_of_the_confusion_matrix(read: Read) -> None:
    of = events()
    place = int(np.flatnonzero(of.truth != of.predicted)[0])
    truth, predicted = of.truth[place], of.predicted[place]
    expected = set(of.ids[(of.truth == truth) & (of.predicted == predicted)])
    shown = read(f"/benchmarks/{explain(of)}/events/?truth={truth}&predicted={predicted}")
    assert set(ids(shown)) == expected


@pytest.mark.parametrize(
    ("query", "count"), [("judged=wrong", 12), ("explained=yes", 120), ("q=other-1", 11), ("q=nothing", 0)]
)
def test_filters_narrow_the_list(read: Read, query: str, count: int) -> None:
    shown = read(f"/benchmarks/{explain()}/events/?{query}")
    assert (f"of {count} events" if count else "No event matches") in shown.text


def test_the_list_is_sorted_by_its_head(read: Read) -> None:
    pk = explain()
    assert ids(read(f"/benchmarks/{pk}/events/?sort=id"))[0] == "event-0000"
    assert ids(read(f"/benchmarks/{pk}/events/?sort=-id"))[0] == "other-9"
    confidences = re.findall(r"([\d.]+) %", " ".join(read(f"/benchmarks/{pk}/events/?sort=confidence").rows()))
    assert list(map(float, confidences)) == sorted(map(float, confidences))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("truth=nonsense", "No event truly is nonsense."),
        ("predicted=nonsense", "No event was predicted as nonsense."),
        ("judged=perhaps", "Events are right or wrong, not perhaps."),
        ("explained=no", "Write explained=yes for explained events; no is unknown."),
    ],
)
def test_what_cannot_be_asked_for_is_said_in_place(read: Read, query: str, says: str) -> None:
    shown = read(f"/benchmarks/{explain()}/events/?{query}")
    assert shown.status == 200
    assert says in shown.text
    assert shown.rows() == []


@pytest.mark.parametrize("query", ["sort=nonsense", "page=99", "page=x", "per_page=100000"])
def test_what_nobody_understands_in_an_address_does_no_harm(read: Read, query: str) -> None:
    assert len(read(f"/benchmarks/{explain()}/events/?{query}").rows()) == 25


def test_explained_events_are_links_that_keep_the_filters(read: Read) -> None:
    pk = explain()
    links = linked(read(f"/benchmarks/{pk}/events/?judged=wrong&sort=id"))
    assert len(links) == 12
    assert all(link.endswith("/?sort=id&amp;judged=wrong") for link in links)
    assert linked(read(f"/benchmarks/{pk}/events/?q=other")) == []


def test_a_regression_s_events_are_those_first_that_are_furthest_off(read: Read) -> None:
    of = events(classes=1)
    off = np.abs(of.predicted.astype(float) - of.truth.astype(float))
    shown = read(f"/benchmarks/{explain(of)}/events/")
    assert ids(shown)[0] == of.ids[off.argmax()]
    assert "150 events, those first whose prediction is furthest off." in shown.text
    assert "Any truth" not in shown.text


def test_the_confusion_matrix_leads_to_its_events(read: Read) -> None:
    of = events()
    pk = explain(of)
    shown = read(f"/benchmarks/{pk}/")
    wrong = np.flatnonzero(of.truth != of.predicted)[0]
    truth, predicted = of.truth[wrong], of.predicted[wrong]
    assert f'href="/benchmarks/{pk}/events/?truth={truth}&amp;predicted={predicted}"' in shown.html
    assert f'href="/benchmarks/{pk}/events/"' in shown.html


def test_without_predictions_no_matrix_leads_anywhere(read: Read) -> None:
    pk = stage.finish(stage.add_model(), stage.add_version())
    assert "/events/" not in read(f"/benchmarks/{pk}/").html
    assert "the retention policy removed these" in read(f"/benchmarks/{pk}/events/").text


def test_events_are_shown_without_an_explanation(read: Read) -> None:
    shown = read(f"/benchmarks/{explain(values_key='')}/events/")
    assert len(shown.rows()) == 25
    assert linked(shown) == []


def test_events_are_shown_though_their_explanation_is_gone(read: Read, settings: Settings) -> None:
    pk = explain()
    open_store(settings.ATLAS_OBJECT_STORE).delete(VALUES)
    shown = read(f"/benchmarks/{pk}/events/")
    assert len(shown.rows()) == 25
    assert "No event can be opened. The file is no longer in the object store." in shown.text


def test_predictions_that_are_gone_are_said_to_be_gone(read: Read, settings: Settings) -> None:
    pk = explain()
    open_store(settings.ATLAS_OBJECT_STORE).delete(PREDICTIONS)
    shown = read(f"/benchmarks/{pk}/events/")
    assert shown.status == 404
    assert "The file is no longer in the object store. Run the benchmark again" in shown.text


def test_a_file_that_holds_no_predictions_is_named(read: Read) -> None:
    put("predictions/other.parquet", b"PAR1")
    pk = stage.finish(stage.add_model(), stage.add_version(), result(predictions_key="predictions/other.parquet"))
    assert "The file does not hold predictions" in read(f"/benchmarks/{pk}/events/").text


def test_the_store_may_be_away(read: Read, settings: Settings) -> None:
    pk = explain()
    settings.ATLAS_OBJECT_STORE = "s3://a:b@127.0.0.1:1/atlas?secure=false"
    shown = read(f"/benchmarks/{pk}/events/")
    assert shown.status == 503
    assert "The object store does not answer." in shown.text


def test_the_list_s_queries_do_not_grow(queries_of: Count) -> None:
    pk = explain(events(20), more=0)
    few = queries_of(f"/benchmarks/{pk}/events/?judged=wrong")
    assert queries_of(f"/benchmarks/{explain(events(900), version=2)}/events/?sort=truth&per_page=100") == few
    assert few <= 5


def test_htmx_gets_the_table_alone(read: Read) -> None:
    shown = read(f"/benchmarks/{explain()}/events/", HX_Request="true")
    assert "<html" not in shown.html
    assert len(shown.rows()) == 25
