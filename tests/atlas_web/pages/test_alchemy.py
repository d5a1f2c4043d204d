"""The comparison workbench: what is chosen, what is shown of it, and what an address gets wrong."""

import csv
import io
import json
import re
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client

from atlas.comparison import Comparison
from atlas.results import MetricValue
from storage.models import Benchmark
from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.comparing import compared, delete
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db

SHOWN = ("Accuracy", "Log loss", "Size, MiB")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    cache.clear()


@pytest.fixture
def both() -> tuple[int, int]:
    version = stage.add_version()
    return compared("Old-1", 0.7, version=version), compared("New-2", 0.95, version=version, seed=2, depth="5")


def address(*keys: int, more: str = "") -> str:
    return f"/alchemy/?{'&'.join(f'b={key}' for key in keys)}{more}"


def row(page: Callable[[], list[str]], name: str) -> str:
    return next(words for words in page() if words.startswith(name))


def test_with_nothing_to_compare_the_page_says_what_it_takes(read: Read) -> None:
    text = read("/alchemy/").text
    assert "Nothing to compare yet" in text


def test_the_best_two_and_the_latest_beside_the_one_before_are_suggested(read: Read) -> None:
    first, second = stage.add_version(1), stage.add_version(2)
    for name, f1 in (("Forest-1.0.0-1", 0.7), ("Linear-1.0.0-2", 0.9), ("Neural-1.0.0-3", 0.8)):
        model = stage.add_model(name)
        stage.finish(model, first, result(f1=1 - f1))
        stage.finish(model, second, result(f1=f1))
    page = read("/alchemy/")
    assert "The best two for damage detector on impacts v2 Linear-1.0.0-2, Neural-1.0.0-3" in page.text
    best = Benchmark.objects.filter(dataset_version=second, model__name__in=("Linear-1.0.0-2", "Neural-1.0.0-3"))
    keys = best.order_by("model__name").values_list("pk", flat=True)
    assert f'href="/alchemy/?b={keys[0]}&amp;b={keys[1]}"' in page.html


def test_of_losses_the_smallest_two_are_the_best(read: Read) -> None:
    version = stage.add_version()
    for number, loss in enumerate((0.3, 0.1, 0.2)):
        lost = (MetricValue(name="log_loss", value=loss, greater_is_better=False),)
        model = stage.add_model(f"Model-{number}", metrics=("log_loss",), primary_metric="log_loss")
        stage.finish(model, version, result(metrics=lost))
    assert "Model-1, Model-2" in read("/alchemy/").text


def test_the_latest_model_is_suggested_beside_the_version_before_it(read: Read) -> None:
    version = stage.add_version()
    for number, day in ((1, 1), (2, 2)):
        name = f"Forest-{number}.0.0-162566001{number}"
        arrived = NOON.replace(day=day)
        stage.finish(stage.add_model(name, version=f"{number}.0.0", created=arrived, arrived=arrived), version)
    text = read("/alchemy/").text
    expected = "The latest model beside the version before it Forest-1.0.0-1625660011, Forest-2.0.0-1625660012"
    assert expected in text


def test_the_page_answers_at_once_and_the_evidence_follows(read: Read, both: tuple[int, int]) -> None:
    page = read(address(*both))
    assert "On impacts v1" in page.text
    assert "Comparing the events one by one" in page.text
    assert f'hx-get="/alchemy/evidence/?b={both[0]}&amp;b={both[1]}"' in page.html
    assert f'href="?b={both[0]}&amp;b={both[1]}&amp;wait=1"' in page.html
    assert "B is better than A by accuracy" not in page.text
    part = read(f"/alchemy/evidence/?b={both[0]}&b={both[1]}")
    assert "B is better than A by accuracy: +0." in part.text
    assert "Paired on the same events" in part.text


def test_what_is_known_is_there_at_once(read: Read, both: tuple[int, int]) -> None:
    read(address(*both, more="&wait=1"))
    page = read(address(*both))
    assert "Comparing the events one by one" not in page.text
    assert "B is better than A by accuracy" in page.text


def test_differences_are_coloured_only_if_they_are_more_than_noise(read: Read, both: tuple[int, int]) -> None:
    page = read(address(*both, more="&wait=1"))
    found = {name: next(part for part in page.html.split("<tr") if f">{name}<small" in part) for name in SHOWN}
    assert {name: re.findall(r"delta is-(\w+)", part) for name, part in found.items()} == {
        "Accuracy": ["ok"],
        "Log loss": ["ok"],
        "Size, MiB": [],
    }
    again = read(address(both[0], compared("Same-3", 0.7, version=_version(both[0]), seed=7), more="&wait=1"))
    assert re.findall(
        r"delta is-(\w+)", next(part for part in again.html.split("<tr") if ">Accuracy<small" in part)
    ) == ["idle"]


def _version(benchmark: int) -> int:
    return Benchmark.objects.get(pk=benchmark).dataset_version_id


def test_the_switch_leaves_out_what_is_the_same(read: Read, both: tuple[int, int]) -> None:
    everything = read(address(*both, more="&wait=1"))
    assert row(everything.rows, "trees") == "trees A: 100 100 100 100"
    assert row(everything.rows, "depth") == "depth A: 3 3 5 differs 5"
    assert "Left out: 1 default of libraries." in everything.text
    page = read(address(*both, more="&wait=1&differences=1"))
    assert not any(words.startswith("trees") for words in page.rows())
    assert any(words.startswith("depth") for words in page.rows())
    assert any(words.startswith("Accuracy") for words in page.rows())
    assert "without a difference and 1 default of libraries." in page.text
    assert 'name="differences" value="1" checked' in page.html


def test_another_reference_turns_the_differences_round(read: Read, both: tuple[int, int]) -> None:
    old, new = both
    page = read(address(old, new, more=f"&wait=1&reference={new}"))
    assert "A is worse than B by accuracy: -0." in page.text
    assert f'<option value="{new}" selected>B</option>' in page.html


def test_one_alone_waits_for_another_to_be_compared_with(read: Read, both: tuple[int, int]) -> None:
    page = read(address(both[0]))
    assert "Add a second benchmark to compare this one with." in page.text
    assert "1 other model on this version" in page.text
    assert f'href="/alchemy/?b={both[0]}&amp;b={both[1]}"' in page.html


def test_a_chip_leads_to_the_view_without_its_benchmark(read: Read, both: tuple[int, int]) -> None:
    old, new = both
    page = read(address(old, new, more=f"&reference={new}&metric=f1&cost=size&differences=1"))
    assert f'href="/alchemy/?b={new}&amp;metric=f1&amp;differences=1&amp;cost=size"' in page.html
    assert 'aria-label="Remove Old-1 on impacts v1"' in page.html


def test_confusion_matrices_stand_beside_their_difference(read: Read, both: tuple[int, int]) -> None:
    page = read(address(*both))
    assert "Confusion matrix of B" in page.html
    assert "Difference of the confusion matrices of B" in page.html
    assert "±0" in page.text


def test_the_front_is_in_a_table_too(read: Read, both: tuple[int, int]) -> None:
    page = read(address(*both, more="&cost=latency"))
    assert any(words.endswith("yes") and words.startswith("B, New") for words in page.rows())
    assert "Scatter of Accuracy against latency p95; on the front: " in page.html


def test_a_cost_that_nobody_measured_draws_nothing(read: Read, both: tuple[int, int]) -> None:
    Benchmark.objects.update(latency_p95_seconds=None)
    assert "Nobody measured this cost" in read(address(*both)).text


def test_a_search_finds_benchmarks_by_words_of_model_dataset_and_version(read: Read) -> None:
    one = compared("Forest-1", 0.8, version=stage.add_version(1))
    two = compared("Linear-2", 0.8, version=stage.add_version(2, tag="winter"), tags=("winter",))
    found = read(f"/alchemy/?b={one}&add=winter+v2", **{"HX-Request": "true", "HX-Target": "candidates"})
    assert "Linear-2 on winter v2" in found.text
    assert "<main" not in found.html
    assert f'href="/alchemy/?b={one}&amp;b={two}"' in found.html
    assert "No benchmark with a result speaks of" in read(f"/alchemy/?b={one}&add=winter+v3").text
    assert "Forest-1 on" not in read(f"/alchemy/?b={one}&add=forest").text
    assert f'href="/alchemy/?b={two}"' in read("/alchemy/?add=linear").html


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("&b=x%3Cy", "b: “x<y” is not the number of a benchmark."),
        ("&b=99999", "b: there is no benchmark 99999."),
        ("&b=9999999999999999999999", "is not the number of a benchmark."),
        ("&reference=7x", "reference: “7x” is none of the chosen benchmarks."),
        ("&metric=r2", "metric: the reference was not measured by “r2”."),
        ("&cost=beauty", "cost: “beauty” is none of latency, memory, size."),
    ],
)
def test_what_an_address_gets_wrong_is_said_in_place(
    read: Read, both: tuple[int, int], more: str, problem: str
) -> None:
    page = read(address(*both, more=more))
    assert page.status == 200
    assert problem in page.text
    assert "Old-1" in page.text
    refused = read(f"/alchemy.json?b={both[0]}{more}")
    assert refused.status == 422
    assert problem in " ".join(json.loads(refused.html)["problems"])


def test_what_has_no_result_and_what_is_too_much_is_said_too(read: Read) -> None:
    version = stage.add_version()
    waiting = stage.queue(stage.add_model("Waiting-1"), version)
    assert f"b: benchmark {waiting} has no result to compare: queued." in read(address(waiting)).text
    assert "b: 13 benchmarks are asked for; the first 12 are compared." in read(address(*range(1, 14))).text


def test_predictions_that_are_gone_are_said_and_the_intervals_stand_in(read: Read, both: tuple[int, int]) -> None:
    delete(Benchmark.objects.get(pk=both[1]).predictions_key)
    page = read(address(*both, more="&wait=1"))
    assert "A file of predictions is gone" in page.text
    assert "Not paired: the intervals of both are compared" in page.text


def test_the_json_is_the_whole_view(read: Read, both: tuple[int, int]) -> None:
    found = Comparison.model_validate_json(read(f"/alchemy.json?b={both[0]}&b={both[1]}&metric=f1").html)
    assert [each.model for each in found.benchmarks] == ["Old-1", "New-2"]
    assert found.metric == "f1"
    assert [each.metric for each in found.evidence] == ["f1"]


def test_the_csv_has_a_line_for_each_value(read: Read, both: tuple[int, int]) -> None:
    lines = list(csv.DictReader(io.StringIO(read(f"/alchemy.csv?b={both[0]}&b={both[1]}").html)))
    own = next(line for line in lines if line["mark"] == "B" and line["name"] == "accuracy")
    assert own["finding"] == "better"
    assert own["method"] == "paired bootstrap"
    assert float(own["difference low"]) < float(own["difference"]) < float(own["difference high"])
    assert {line["kind"] for line in lines} == {"metric", "cost", "hyperparameter"}
    assert read("/alchemy.csv").status == 422


@pytest.mark.parametrize("address", ["/alchemy.csv", "/alchemy.json"])
def test_the_files_are_for_those_who_are_signed_in(client: Client, address: str) -> None:
    assert client.get(address).headers["Location"] == f"/login/?next={address}"


def test_other_pages_lead_here(read: Read, both: tuple[int, int]) -> None:
    old, new = both
    assert f'href="/alchemy/?b={old}&amp;b={new}"' in read(f"/benchmarks/{old}/").html
    later = stage.finish(Benchmark.objects.get(pk=old).model_id, stage.add_version(2), result(f1=None))
    assert f'href="/alchemy/?b={later}&amp;b={old}"' in read(f"/models/{Benchmark.objects.get(pk=old).model_id}/").html
    listed = read("/benchmarks/").html
    assert f'name="b" value="{new}" form="compare" aria-label="Compare New-2 on impacts v1"' in listed


def test_the_cost_of_the_page_does_not_grow_with_what_it_shows(queries_of: Count) -> None:
    versions = [stage.add_version(number) for number in (1, 2)]
    keys = [compared(f"Forest-{n}", 0.8, version=versions[n % 2], seed=n) for n in range(1, 4)]
    pages = (address(*keys[:2]), address(*keys[:2], more="&wait=1"), "/alchemy/", "/alchemy/?add=forest")
    few = [queries_of(page) for page in pages]
    more = [compared(f"Tree-{n}", 0.8, version=versions[n % 2], seed=n) for n in range(4, 10)]
    pages = (address(*keys, *more), address(*keys, *more, more="&wait=1"), "/alchemy/", "/alchemy/?add=forest")
    assert [queries_of(page) for page in pages] == few
