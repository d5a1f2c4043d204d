"""The pages of drift: what changed in a dataset, and how far data lie from what a model was trained on."""

import pytest

from atlas.drift import Distribution
from storage import queries
from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.drifting import changing_dataset, column, drift, from_reference, keep, keep_for

pytestmark = pytest.mark.django_db

REASON = "The bundle has no sample of its training data."


def test_it_says_first_what_moved_since_the_version_before(read: Read) -> None:
    changing_dataset()
    text = read("/datasets/impacts/drift/").text
    assert "v3: none of 2 columns have moved since v2. The labels have moved, by 0.25." in text
    chosen = read("/datasets/impacts/drift/?version=2").text
    assert "v2: 1 of 2 columns has moved since v1: gas.temperature, by 0.31. The labels have not moved." in chosen


def test_columns_stand_over_versions_those_that_moved_most_first(read: Read) -> None:
    changing_dataset()
    rows = read("/datasets/impacts/drift/").rows()
    assert "labels (label) - not known 0.02 0.25 , has moved" in rows
    table = [row for row in rows if "not known" in row]
    assert [row.split()[0] for row in table] == ["labels", "gas.temperature", "peak"]
    assert table[1] == "gas.temperature - not known 0.31 , has moved 0.03"


def test_a_switch_compares_with_the_first_version(read: Read) -> None:
    changing_dataset()
    page = read("/datasets/impacts/drift/?since=first")
    assert "v3: 1 of 2 columns has moved since v1: gas.temperature, by 0.33." in page.text
    assert "gas.temperature - not known 0.33 , has moved 0.33 , has moved" in page.rows()


def test_another_measure_can_be_chosen(read: Read) -> None:
    changing_dataset()
    page = read("/datasets/impacts/drift/?measure=population_stability")
    assert "gas.temperature - not known 0.38 , has moved 0.00" in page.rows()
    assert "Below 0.1 is taken for stable" in page.text
    assert read("/datasets/impacts/drift/?measure=nonsense").status == 200


def test_each_cell_leads_to_the_distributions_behind_it_and_all_measures(read: Read) -> None:
    changing_dataset()
    page = read("/datasets/impacts/drift/?since=first")
    address = "?since=first&amp;version=2&amp;column=column%3Agas.temperature"
    assert f'href="{address}"' in page.html
    shown = read(f"/datasets/impacts/drift/{address.replace('&amp;', '&')}")
    assert "gas.temperature on v2, compared with v1" in shown.text
    assert "Has moved: more than chance, and far enough to matter." in shown.text
    rows = [row.replace("\u202f", " ") for row in shown.rows()]
    assert {"low 60 60.0 % 10 10.0 %", "missing 0 0.0 % 5 5.0 %"} <= set(rows)
    assert any(row.startswith("p, adjusted") and " < 0.001 " in row for row in rows)
    assert any(row.startswith("Jensen-Shannon distance How far") and " 0.33 " in row for row in rows)


def test_without_a_choice_the_cell_that_moved_farthest_on_the_version_is_shown(read: Read) -> None:
    changing_dataset()
    assert "labels (label) on v3, compared with v2" in read("/datasets/impacts/drift/").text
    assert "gas.temperature on v2, compared with v1" in read("/datasets/impacts/drift/?version=2").text
    assert "compared with v" not in read("/datasets/impacts/drift/?column=column:nothing").text


def test_what_is_not_known_says_why(read: Read) -> None:
    first, second, _ = (stage.add_version(number) for number in (1, 2, 3))
    keep(first)
    assert "v3: It has not been compared yet." in read("/datasets/impacts/drift/").text
    keep(second, problem="The file is gone.")
    assert "No drift to show yet" in read("/datasets/impacts/drift/").text
    empty = read("/datasets/nothing/drift/")
    assert empty.status == 404


def test_columns_that_came_and_went_are_named(read: Read) -> None:
    first, second = (stage.add_version(number) for number in (1, 2))
    keep(first)
    keep(second, drift(column("peak"), gone=("door",), new=tuple(f"c{n}" for n in range(7))))
    text = read("/datasets/impacts/drift/").text
    assert "Gone since: door." in text
    assert "New since: c0, c1, c2, c3, c4 and 2 more." in text


def test_of_many_bins_the_largest_are_drawn_and_the_rest_as_one(read: Read) -> None:
    first, second = (stage.add_version(number) for number in (1, 2))
    bins = tuple(f"car {number}" for number in range(60))
    cars = Distribution(bins=bins, before=tuple(range(60)), now=tuple(range(60)))
    keep(first)
    keep(second, drift(column("car", 0.2, distribution=cars)))
    rows = read("/datasets/impacts/drift/").rows()
    assert sum(row.startswith("car ") and "%" in row for row in rows) == 23
    assert any(row.startswith("36 others 666 ") for row in rows)


def test_a_model_s_page_tells_of_its_benchmarks(read: Read) -> None:
    model = stage.add_model()
    for number in (1, 2):
        benchmark = stage.finish(model, stage.add_version(number))
        keep_for(
            benchmark,
            from_reference(
                column("peak", 0.1 * number),
                column("rms"),
                labels=column("label", 0.15),
                predictions=column("prediction", 0.12),
            ),
            predictions=column("prediction").model_dump(mode="json"),
        )
    page = read(f"/models/{model}/drift/")
    assert "v2: 1 of 2 columns has moved from what the model was trained on: peak, by 0.20." in page.text
    assert "The labels have moved, by 0.15. The predictions have moved, by 0.12." in page.text
    assert "The predictions have not moved since the version before." in page.text
    rows = page.rows()
    assert "predictions 0.12 , has moved 0.12 , has moved" in rows
    assert "predictions since the version before 0.02 0.02" in rows
    assert "peak 0.10 , has moved 0.20 , has moved" in rows
    chosen = read(f"/models/{model}/drift/?version=2&column=predictions").text
    assert "predictions on v2, compared with what the model was trained on" in chosen
    assert "Benchmark on v2" in chosen


def test_a_model_without_a_reference_says_so_and_what_to_do(read: Read) -> None:
    model = stage.add_model()
    assert "Not benchmarked yet" in read(f"/models/{model}/drift/").text
    keep_for(stage.finish(model, stage.add_version()), unknown=REASON)
    text = read(f"/models/{model}/drift/").text
    assert f"v1: {REASON}" in text
    assert "atlas.pack(…, reference=…)" in text
    assert read("/models/999/drift/").status == 404


def test_a_model_of_several_datasets_shows_the_latest_and_lets_one_choose(read: Read) -> None:
    model = stage.add_model(tags=("impacts", "winter"))
    for tag, distance in (("impacts", 0.2), ("winter", 0.3)):
        benchmark = stage.finish(model, stage.add_version(2 if tag == "winter" else 1, tag=tag))
        keep_for(benchmark, from_reference(column("peak", distance)))
    assert "peak, by 0.30" in read(f"/models/{model}/drift/").text
    assert "peak, by 0.20" in read(f"/models/{model}/drift/?tag=impacts").text


def test_the_dataset_s_and_the_benchmark_s_page_say_it_in_short(read: Read) -> None:
    changing_dataset()
    page = read("/datasets/impacts/?version=2")
    assert "1 of 2 columns has moved since v1: gas.temperature, by 0.31." in page.text
    assert 'href="/datasets/impacts/drift/?version=2"' in page.html
    model = stage.add_model()
    benchmark = stage.finish(model, stage.add_version(4))
    keep_for(benchmark, from_reference(column("peak", 0.2), column("rms", 0.3)))
    page = read(f"/benchmarks/{benchmark}/")
    assert "2 of 2 columns have moved from what the model was trained on: peak most, by 0.20." in page.text
    assert f'href="/models/{model}/drift/?tag=impacts&amp;version=4"' in page.html


def test_the_newest_versions_are_shown_and_the_older_ones_a_click_away(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.queries._drift.DRIFT_WINDOW", 2)
    monkeypatch.setattr(queries, "DRIFT_WINDOW", 2)
    changing_dataset()
    newest = read("/datasets/impacts/drift/")
    assert "The newest 2 of 3" in newest.text
    older = read("/datasets/impacts/drift/?versions=2").text
    assert "v1: It is the first version with rows" in older


def test_the_cost_does_not_grow_with_versions(queries_of: Count) -> None:
    changing_dataset("impacts", 2)
    changing_dataset("winter", 3)
    assert queries_of("/datasets/impacts/drift/") == queries_of("/datasets/winter/drift/") <= 12
