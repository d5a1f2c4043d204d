"""The list of models, and the page of one."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from atlas.results import Explanation, HyperparameterGroup, Importance
from atlas.states import Level
from storage import records
from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.samples import NOON, result

EXPLAINED = Explanation(
    method="TreeExplainer",
    output="probability",
    outputs=("intact", "damaged"),
    rows=30,
    importances=(Importance(feature="peak", mean_absolute=(0.2, 0.2)),),
)

pytestmark = pytest.mark.django_db


def test_a_model_without_a_benchmark_has_grey_icons(read: Read) -> None:
    stage.add_model()
    shown = read("/models/")
    assert "Benchmark of Forest-1.0.0-1 not computed yet" in shown.html
    assert "Explanation of Forest-1.0.0-1 not computed yet" in shown.html
    assert "no score yet" in shown.text


def test_a_model_with_a_result_links_to_it_and_shows_its_score(read: Read) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1), result(f1=0.7))
    newest = stage.finish(model, stage.add_version(2), result(f1=0.8125, explanation=EXPLAINED))
    shown = read("/models/")
    assert f'<a class="state-icon is-info" href="/benchmarks/{newest}/"' in shown.html
    assert f'<a class="state-icon is-info" href="/benchmarks/{newest}/explanation/"' in shown.html
    (row,) = shown.rows()
    assert row.startswith("Forest-1.0.0 -1 Ines Prado damage detector impacts 02 Mar")
    assert row.endswith("0.812 F1")
    assert "F1 of Forest-1.0.0-1, its last 2 values" in shown.html


def test_what_is_not_possible_says_why(read: Read) -> None:
    model = stage.add_model()
    stage.queue(model, stage.add_version(1), incompatible="The column rms is missing.")
    assert "Benchmark of Forest-1.0.0-1 not possible: The column rms is missing." in read("/models/").html
    stage.finish(model, stage.add_version(2))
    assert "Explanation of Forest-1.0.0-1 not possible: no explainer for this model" in read("/models/").html


def test_an_invalid_file_is_listed_with_its_reason(read: Read) -> None:
    stage.add_invalid_file("broken.atlas", "It is not a zip file.")
    (row,) = read("/models/").rows()
    assert row.startswith("broken.atlas Invalid It is not a zip file.")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=linear", ["Linear"]),
        ("q=prado+detector", ["Forest"]),
        ("q=prado+finder", []),
        ("use_case=scratch+finder", ["Linear"]),
        ("tag=winter", ["Linear"]),
        ("author=Tom%C3%A1s+Vidal", ["Linear"]),
        ("state=benchmarked", ["Forest"]),
        ("state=waiting", ["Linear"]),
        ("state=failed", []),
        ("state=invalid", ["broken"]),
        ("state=nonsense", []),
        ("tag=nonsense", []),
        ("sort=name", ["Forest", "Linear", "broken"]),
        ("sort=-score", ["Forest"]),
    ],
)
def test_the_list_is_searched_filtered_and_sorted(read: Read, query: str, found: list[str]) -> None:
    version = stage.add_version()
    stage.finish(stage.add_model(), version)
    author = {"name": "Tomás Vidal", "email": "tomas@example.org"}
    linear = stage.add_model("Linear-1.0.0-2", use_case="scratch finder", tags=("winter", "impacts"), author=author)
    stage.queue(linear, version)
    stage.add_invalid_file("broken.atlas", "It is not a zip file.")
    rows = read(f"/models/?{query}").rows()
    assert [row.partition("-")[0].partition(".")[0] for row in rows][: len(found) or None] == found


@pytest.mark.parametrize("column", ["name", "use_case", "created", "states", "score"])
@pytest.mark.parametrize("direction", ["", "-"])
def test_what_is_not_known_comes_last_in_either_direction(read: Read, column: str, direction: str) -> None:
    stage.finish(stage.add_model(), stage.add_version(), result(explanation=EXPLAINED))
    stage.add_invalid_file("zz.atlas", "It is not a zip file.")
    rows = read(f"/models/?sort={direction}{column}").rows()
    assert len(rows) == 2
    if column in {"created", "score"}:
        assert rows[1].startswith("zz.atlas")


def test_the_list_s_queries_do_not_grow(queries_of: Count, fill: Callable[[int], None]) -> None:
    fill(3)
    few = queries_of("/models/?sort=score&tag=impacts")
    fill(12)
    assert queries_of("/models/?sort=score&tag=impacts") == few


def test_the_page_of_a_model_shows_all_that_its_manifest_says(read: Read) -> None:
    training = {"query_id": "impacts-v1", "digest": "0" * 64, "rows": 1200, "date": NOON, "duration_seconds": 75.0}
    model = stage.add_model(training=training, libraries={"numpy": "2.4.6"}, tags=("impacts", "winter"))
    text = read(f"/models/{model}/").text
    for words in (
        "Use case damage detector Version 1.0.0 Author Ines Prado Created 2026-03-02 12:00 UTC",
        "Task binary Target label Classes intact, damaged",
        "Metrics Accuracy, F1 Primary metric F1",
        "Framework scikit-learn 1.9.1, Python 3.11.7 Libraries numpy 2.4.6 Model format skops",
        "Trained on impacts-v1, 1,200 rows Trained 2026-03-02 12:00 UTC Training took 1 min 15 s",
        "Key models/Forest-1.0.0-1.atlas Size 10.0 KiB",
        "2 input columns peak double rms double",
        "Not benchmarked yet",
    ):
        assert words in text


def test_the_page_of_a_model_shows_every_benchmark_and_a_chart_for_each_tag(read: Read) -> None:
    model = stage.add_model(tags=("impacts", "winter"))
    stage.finish(model, stage.add_version(1))
    stage.fail(model, stage.add_version(2), "A file is missing.")
    stage.finish(model, stage.add_version(1, tag="winter"))
    shown = read(f"/models/{model}/")
    rows = shown.rows()
    assert rows[0].startswith("impacts v2 A file is missing. Failed")
    assert rows[1].startswith("impacts v1 Done 0.800")
    assert rows[2].startswith("winter v1 Done 0.800")
    assert 'id="history-impacts"' in shown.html
    assert 'id="history-winter"' in shown.html


def test_the_metric_of_the_chart_can_be_chosen(read: Read) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version())
    assert "Line chart: F1 of Forest-1.0.0, 0.800 on v1" in read(f"/models/{model}/?metric=nonsense").html
    shown = read(f"/models/{model}/?metric=accuracy")
    assert "Line chart: Accuracy of Forest-1.0.0, 0.900 on v1" in shown.html
    assert '<option value="accuracy" selected>' in shown.html


def test_hyperparameters_have_a_box_for_each_step(read: Read) -> None:
    model = stage.add_model(hyperparameters={"max_depth": None, "criterion": "gini"})
    assert "model as its author says criterion gini max_depth null" in read(f"/models/{model}/").text
    groups = (
        HyperparameterGroup(step="scale", estimator="StandardScaler", values={}),
        HyperparameterGroup(step="model", estimator="RandomForestClassifier", values={"max_depth": "None"}),
    )
    stage.finish(model, stage.add_version(), result(hyperparameters=groups))
    text = read(f"/models/{model}/").text
    assert "scale StandardScaler It has none. model RandomForestClassifier max_depth None" in text


def test_hyperparameters_are_compared_with_those_of_the_version_before(read: Read) -> None:
    version = stage.add_version()
    kind = "RandomForestClassifier"
    before = HyperparameterGroup(
        step="", estimator=kind, values={"depth": "3", "trees": "100", "seed": "0"}, chosen=("depth",)
    )
    after = HyperparameterGroup(step="", estimator=kind, values={"depth": "5", "trees": "100", "seed": "0"}, chosen=())
    earlier = stage.add_model("Forest-0.9.0-1", version="0.9.0", created=NOON - timedelta(days=1))
    stage.finish(earlier, version, result(hyperparameters=(before, before.model_copy(update={"step": "scale"}))))
    model = stage.add_model("Forest-1.0.0-2")
    benchmark = stage.finish(model, version, result(hyperparameters=(after,)))
    for address in (f"/models/{model}/", f"/benchmarks/{benchmark}/"):
        shown = read(address)
        assert "Compared with Forest-0.9.0-1 : 2 differences. The step scale is gone." in shown.text
        assert "RandomForestClassifier depth 5 was 3 2 defaults seed 0 trees 100" in shown.text
        assert f'href="/models/{earlier}/"' in shown.html
    assert "Compared with" not in read(f"/models/{earlier}/").text


def test_an_invalid_file_s_page_says_the_whole_reason(read: Read) -> None:
    reason = "manifest.json: " + "; ".join(f"field {number} is missing" for number in range(50))
    model = stage.add_invalid_file("broken.atlas", reason)
    records.log("engine", "It cannot be read.", now=NOON, level=Level.ERROR, model=model)
    shown = read(f"/models/{model}/")
    assert f"Atlas cannot use this file. {reason}" in shown.text
    assert "Error It cannot be read." in shown.text
    assert "About this model" not in shown.text


def test_a_file_that_was_replaced_says_so(read: Read) -> None:
    model = stage.add_model()
    records.record_replaced_file(stage.file("Forest-1.0.0-1.atlas"), "the file was replaced after it arrived.")
    assert "The file was replaced after it arrived." in read(f"/models/{model}/").text


def test_the_page_s_queries_do_not_grow(queries_of: Count) -> None:
    model = stage.add_model(tags=("impacts", "winter"))
    stage.finish(model, stage.add_version(1))
    few = queries_of(f"/models/{model}/")
    for number in range(2, 8):
        stage.finish(model, stage.add_version(number))
        stage.finish(model, stage.add_version(number, tag="winter"))
        records.log("engine", "done", now=NOON, model=model)
    assert queries_of(f"/models/{model}/") == few


def test_the_versions_of_a_model_are_listed_and_lead_to_each_other(read: Read) -> None:
    first, second, third = (
        stage.add_model(
            f"Forest-1.{number}.0-{1625660010 + number}", version=f"1.{number}.0", created=NOON + timedelta(days=number)
        )
        for number in range(3)
    )
    stage.add_model("Linear-1.0.0-1625660010", version="1.0.0")
    stage.finish(first, stage.add_version())
    shown = read(f"/models/{second}/")
    assert f'<a href="/models/{third}/">Next: 1.2.0</a>' in shown.html
    assert f'<a href="/models/{first}/">Previous: 1.0.0</a>' in shown.html
    versions = [row for row in shown.rows() if row.startswith("Forest-")]
    assert [row.split(" ")[2] for row in versions] == ["1.2.0", "1.1.0", "1.0.0"]
    assert "this one" in versions[1]
    assert "0.800" in versions[2]
    assert "Linear" not in shown.text


def test_of_many_versions_the_nearest_are_shown(read: Read) -> None:
    made = [
        stage.add_model(f"Forest-1.0.0-{1625660010 + day}", version="1.0.0", created=NOON + timedelta(days=day))
        for day in range(20)
    ]
    rows = [row for row in read(f"/models/{made[0]}/").rows() if row.startswith("Forest-")]
    assert len(rows) == 12
    assert "this one" in rows[-1]


def test_a_model_of_which_there_is_one_version_has_no_list_of_them(read: Read) -> None:
    assert "Versions of this model" not in read(f"/models/{stage.add_model()}/").text


def test_the_files_inside_a_bundle_are_listed(read: Read) -> None:
    assert "1 file inside" in read(f"/models/{stage.add_model()}/").text
