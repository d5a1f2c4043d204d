"""The leaderboard: the best of each use case, and the whole ranking of one."""

import csv
from collections.abc import Callable
from typing import Any

import pytest

from atlas.results import MetricValue
from storage import queries, records
from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db


def scored(f1: float, half: float = 0.01) -> Any:
    metric = MetricValue(name="f1", value=f1, low=f1 - half, high=f1 + half, greater_is_better=True)
    return result(metrics=(metric, MetricValue(name="accuracy", value=1 - f1, greater_is_better=True)))


def contend(version: int, *scores: tuple[str, float]) -> None:
    for name, f1 in scores:
        stage.finish(stage.add_model(f"{name}-1.0.0-1"), version, scored(f1))


def test_the_best_models_of_each_use_case_have_a_card(read: Read) -> None:
    version = stage.add_version()
    contend(version, ("Anna", 0.9), ("Berta", 0.895), ("Clara", 0.8), ("Dora", 0.7))
    other = stage.add_model("Linear-1.0.0-1", use_case="scratch finder")
    stage.finish(other, version, scored(0.6))
    shown = read("/leaderboard/")
    assert (
        "damage detector Compare the best All 4 models F1 on impacts v1. 1 model lies within noise of the best."
        in shown.text
    )
    assert [row.partition(" -1")[0] for row in shown.rows()] == [
        "1 Anna-1.0.0",
        "2 Berta-1.0.0",
        "3 Clara-1.0.0",
        "1 Linear-1.0.0",
    ]
    assert 'href="/leaderboard/?use_case=damage+detector"' in shown.html


def test_the_best_ones_can_be_compared(read: Read) -> None:
    contend(stage.add_version(), ("Anna", 0.9), ("Berta", 0.8), ("Clara", 0.7), ("Dora", 0.6))
    places = {each.model.name[0]: each.pk for each in queries.benchmarks()}
    assert f'href="/alchemy/?b={places["A"]}&amp;b={places["B"]}&amp;b={places["C"]}"' in read("/leaderboard/").html


def test_a_row_tells_rank_noise_costs_and_what_changed(read: Read) -> None:
    before, now = stage.add_version(1), stage.add_version(2)
    models = {name: stage.add_model(f"{name}-1.0.0-1") for name in ("Anna", "Berta", "Clara")}
    for version, scores in ((before, (0.7, 0.9, 0.8)), (now, (0.9, 0.895, 0.8))):
        for model, f1 in zip(models.values(), scores, strict=True):
            stage.finish(model, version, scored(f1))
    shown = read("/leaderboard/?use_case=damage+detector")
    first, second, third = shown.rows()
    assert first == ("1 Anna-1.0.0 -1 Ines Prado 0.900 [0.890, 0.910] +2 better - 100 MiB file 10.0 KiB")
    assert "0.005 behind, within noise of the best -1 worse" in second
    assert "0.100 behind, more than noise -1 worse" in third
    assert "F1 of Anna-1.0.0-1 on impacts, its last 2 versions" in shown.html


def test_equal_scores_share_a_rank(read: Read) -> None:
    contend(stage.add_version(), ("Anna", 0.9), ("Berta", 0.9), ("Clara", 0.8))
    rows = read("/leaderboard/").rows()
    assert [row.split("-")[0] for row in rows] == ["shared =1 Anna", "shared =1 Berta", "3 Clara"]


def test_what_cannot_be_ranked_stands_below_with_its_reason(read: Read) -> None:
    version = stage.add_version()
    contend(version, ("Anna", 0.9))
    stage.fail(stage.add_model("Berta-1.0.0-1"), version, "It is broken.")
    stage.finish(stage.add_model("Clara-1.0.0-1"), version, result(f1=None))
    text = read("/leaderboard/?use_case=damage+detector").text
    assert "2 models are not ranked." in text
    assert (
        "Not ranked Without a score here. Failed Berta-1.0.0 -1 It is broken. Done Clara-1.0.0 -1 no damage seen"
        in text
    )
    assert "It is broken." not in read("/leaderboard/").text


def test_a_stale_result_is_marked(read: Read) -> None:
    contend(stage.add_version(), ("Anna", 0.9))
    records.record_replaced_file(stage.file("Anna-1.0.0-1.atlas"), "the file was replaced.")
    assert "Stale" in read("/leaderboard/").rows()[0]


def test_tag_version_and_metric_are_chosen(read: Read) -> None:
    contend(stage.add_version(1), ("Anna", 0.9), ("Berta", 0.8))
    contend(stage.add_version(2), ("Clara", 0.7))
    assert '<select name="version"' not in read("/leaderboard/").html
    shown = read("/leaderboard/?tag=impacts&version=1&metric=accuracy")
    assert [row.split("-")[0] for row in shown.rows()] == ["1 Berta", "2 Anna"]
    assert (
        'href="/leaderboard/?use_case=damage+detector&amp;tag=impacts&amp;version=1&amp;metric=accuracy"' in shown.html
    )
    assert "impacts v2" in read("/leaderboard/?tag=impacts&version=9").text


def test_a_metric_of_which_less_is_better_says_so(read: Read) -> None:
    version = stage.add_version()
    for name, loss in (("Anna", 0.9), ("Berta", 0.2)):
        metric = MetricValue(name="log_loss", value=loss, greater_is_better=False)
        model = stage.add_model(f"{name}-1.0.0-1", metrics=("log_loss",), primary_metric="log_loss")
        stage.finish(model, version, result(metrics=(metric,)))
    shown = read("/leaderboard/")
    assert "on impacts v1, less is better." in shown.text
    assert [row.split("-")[0] for row in shown.rows()] == ["1 Berta", "2 Anna"]


def test_a_long_ranking_has_pages(read: Read) -> None:
    version = stage.add_version()
    contend(version, *((f"Forest{number:02}", 0.9 - number / 100) for number in range(26)))
    assert "1-25 of 26 models" in read("/leaderboard/?use_case=damage+detector").text
    (last,) = read("/leaderboard/?use_case=damage+detector&page=2").rows()
    assert last.startswith("26 Forest25")


def test_without_results_the_page_says_what_to_do(read: Read) -> None:
    assert "No results yet" in read("/leaderboard/").text
    assert "No result matches" in read("/leaderboard/?tag=nothing").text
    assert "Dataset tag: Select a valid choice." in read("/leaderboard/?tag=nothing").text


def test_the_leaderboard_is_a_file_too(read: Read) -> None:
    version = stage.add_version()
    contend(version, ("Anna", 0.9), ("Berta", 0.8))
    stage.fail(stage.add_model("Clara-1.0.0-1"), version, "It is broken.")
    first, second, third = csv.DictReader(read("/leaderboard/?use_case=damage+detector&format=csv").html.splitlines())
    assert (first["rank"], first["model"], first["value"], first["within noise of the best"]) == (
        "1",
        "Anna-1.0.0-1",
        "0.9",
        "True",
    )
    assert (second["rank"], second["peak memory bytes"], second["size bytes"]) == ("2", str(100 << 20), "10240")
    assert (third["rank"], third["model"], third["state"], third["reason"]) == (
        "",
        "Clara-1.0.0-1",
        "failed",
        "It is broken.",
    )


def test_a_result_that_runs_again_counts_until_there_is_a_new_one(read: Read) -> None:
    version = stage.add_version()
    contend(version, ("Anna", 0.9))
    records.run_again(stage.finish(stage.add_model("Berta-1.0.0-1"), version, scored(0.95)), now=NOON)
    assert [row.split("-")[0] for row in read("/leaderboard/").rows()] == ["1 Berta", "2 Anna"]


@pytest.mark.parametrize("query", ["", "?use_case=damage+detector", "?tag=impacts&version=1&metric=accuracy"])
def test_the_page_s_queries_do_not_grow(queries_of: Count, fill: Callable[[int], None], query: str) -> None:
    fill(3)
    few = queries_of(f"/leaderboard/{query}")
    fill(12)
    for number in (4, 5):
        stage.finish(
            stage.add_model(f"Linear-1.0.0-{number}", use_case=f"case {number}"), stage.add_version(number), scored(0.9)
        )
    assert queries_of(f"/leaderboard/{query}") == few
