"""Beeswarm, decision plot and heat map of many events."""

from dataclasses import replace

import numpy as np
import pytest

from explainability.explained import Explained
from explainability.figures import decision, heat, swarm
from explainability.figures.events import HALF_ROW, is_wrong
from tests.explained import explained


def judged(truth: list[str], predicted: list[str], outputs: tuple[str, ...] = ("dent",)) -> Explained:
    """Two-class events with these answers."""
    events = explained(events=len(truth), classes=2)
    return replace(
        events,
        findings=replace(events.findings, outputs=outputs),
        truth=np.array(truth, dtype=object),
        predicted=np.array(predicted, dtype=object),
    )


def test_a_swarm_has_a_point_for_each_feature_and_fair_event() -> None:
    events = explained(finite=False)
    found = swarm(events, 1)
    assert found.events == events.ids[events.is_sampled].tolist()
    assert sorted(found.features) == sorted(events.findings.features)
    row = found.features.index("peak_0")
    np.testing.assert_allclose(found.effects[row], events.findings.values[events.is_sampled, 0, 1], rtol=1e-6)
    np.testing.assert_allclose(found.values[row], events.findings.rows[events.is_sampled, 0], rtol=1e-6)


def test_a_swarm_begins_with_the_feature_that_matters_most_for_this_output() -> None:
    for output in range(3):
        sizes = np.abs(swarm(explained(), output).effects).mean(axis=1)
        assert (np.diff(sizes) <= 0).all()


def test_a_swarm_keeps_to_the_features_that_matter_most() -> None:
    found = swarm(explained(features=100, classes=1), 0, most=5)
    assert (len(found.features), len(found.effects), found.hidden) == (5, 5, 95)


def test_a_swarm_takes_many_events_evenly_so_that_a_phone_can_draw_it() -> None:
    events = explained(events=4000, features=20, classes=1)
    found, fair = swarm(events, 0), events.ids[events.is_sampled]
    assert (len(found.events), found.of_events) == (416, 3000)
    assert (found.events[0], found.events[-1]) == (fair[0], fair[-1])
    places = [events.place[event] for event in found.events]
    assert max(np.diff(places)) <= 12


def test_points_of_a_swarm_lie_beside_each_other_and_within_their_row() -> None:
    found = swarm(explained(events=800, classes=1), 0)
    offsets, effects = np.array(found.offsets), np.array(found.effects)
    assert np.abs(offsets).max() <= HALF_ROW + 0.001
    for row in range(len(found.features)):
        places = list(zip(effects[row].tolist(), offsets[row].tolist(), strict=True))
        assert len(set(places)) == len(places)
    lone = swarm(explained(events=1, features=1), 0)
    assert lone.offsets == [[0.0]]


def test_equal_effects_are_stacked_around_the_middle() -> None:
    events = explained(events=4, features=1, classes=1)
    events.findings.values[:] = 0.5
    events.is_sampled[:] = True
    assert swarm(events, 0).offsets == [[0.0, 0.12, -0.12, 0.24]]


def test_a_missing_value_has_no_rank() -> None:
    events = explained(finite=False)
    found = swarm(events, 0)
    ranks = np.array(found.ranks[found.features.index("peak_0")])
    missing = np.isnan(events.findings.rows[events.is_sampled, 0])
    assert (np.isnan(ranks) == missing).all()
    assert (np.nanmin(ranks), np.nanmax(ranks)) == (0.0, 1.0)


def test_a_swarm_says_which_way_high_values_push() -> None:
    events = explained(features=3, classes=1)
    events.findings.values[:, 0, 0] = -events.findings.rows[:, 0]
    events.findings.values[:, 1, 0] = 0.5 * np.abs(events.findings.rows[:, 1])
    assert swarm(events, 0).label == (
        "Beeswarm of three features in 90 events: high peak_0 pushes down, high peak_1 pushes both ways and high "
        "peak_2 pushes up"
    )


@pytest.mark.parametrize("most", [1, 4, 12])
@pytest.mark.parametrize("classes", [1, 2, 3, 10])
def test_paths_lead_from_the_average_to_the_answer(classes: int, most: int) -> None:
    events, output = explained(classes=classes), max(classes - 2, 0)
    found = decision(events, output, events=[5, 3, 8], most=most)
    assert found.events == ["event-0005", "event-0003", "event-0008"]
    for path, event in zip(found.paths, (5, 3, 8), strict=True):
        assert len(path) == len(found.features) + 1
        assert path[0] == pytest.approx(found.base)
        assert path[-1] == pytest.approx(events.findings.answers[event, output], abs=1e-6)


def test_the_strongest_feature_is_the_last_step_and_the_rest_the_first() -> None:
    events = explained(classes=1)
    found = decision(events, 0, events=[0], most=2)
    assert found.features == ["4 other features", *reversed(swarm(events, 0).features[:2])]
    assert found.hidden == 4
    step = found.paths[0][-1] - found.paths[0][-2]
    place = events.findings.features.index(found.features[-1])
    assert step == pytest.approx(events.findings.values[0, place, 0], abs=1e-6)


def test_no_events_make_an_empty_decision_plot() -> None:
    found = decision(explained(), 0, events=[])
    assert (found.paths, found.label) == ([], "Decision paths of no events over the features")


def test_wrong_events_are_marked_and_counted() -> None:
    events = explained(classes=3)
    wrong = events.truth != events.predicted
    found = decision(events, 0, events=range(120))
    assert found.wrong == wrong.tolist()
    assert f"{wrong.sum()} events predicted wrong" in found.label.replace("twelve", "12").replace("eleven", "11")


def test_a_regression_is_never_wrong() -> None:
    assert not is_wrong(explained(classes=1)).any()
    margins = explained(classes=1)
    assert not is_wrong(replace(margins, findings=replace(margins.findings, output="margin"))).any()


def test_a_regression_of_several_values_is_never_wrong() -> None:
    events = explained(classes=3)
    assert is_wrong(events).any()
    assert not is_wrong(replace(events, findings=replace(events.findings, output="value"))).any()


def test_numbers_can_be_classes() -> None:
    assert is_wrong(judged(["0", "1", "1"], ["0", "0", "1"], outputs=("1",))).tolist() == [False, True, False]


def test_a_set_of_labels_is_wrong_if_one_is() -> None:
    assert is_wrong(judged(["dent,crack", "crack"], ["dent", "crack"])).tolist() == [True, False]


def test_a_heat_map_sums_up_the_rest_so_that_columns_lead_to_the_answer() -> None:
    events = explained(features=30, classes=2)
    found = heat(events, 0, most=5)
    assert found.features[-1] == "25 other features"
    sums = found.base + np.array(found.effects).sum(axis=0)
    np.testing.assert_allclose(sums, found.answers, rtol=1e-5)
    answers = dict(zip(events.ids, events.findings.answers[:, 0], strict=True))
    np.testing.assert_allclose(found.answers, [answers[event] for event in found.events], rtol=1e-5)


def test_events_that_are_alike_are_neighbours_and_the_answer_rises() -> None:
    events = explained(events=90, features=2, classes=1)
    events.findings.values[:, :, 0] = np.where(np.arange(90)[:, None] % 3, -0.1, 0.2)
    found = heat(events, 0)
    assert (np.diff(found.answers) >= 0).all()
    assert sorted(found.events) == sorted(events.ids[events.is_sampled])


def test_events_lie_along_the_first_principal_component() -> None:
    events = explained(events=200, features=8, classes=1)
    values = events.findings.values[events.is_sampled, :, 0].astype(float)
    direction = np.linalg.svd(values - values.mean(axis=0))[2][0]
    along = dict(zip(events.ids[events.is_sampled], values @ direction, strict=True))
    found = [along[event] for event in heat(events, 0).events]
    assert abs(np.corrcoef(np.argsort(found), np.arange(len(found)))[0, 1]) > 0.999


def test_no_events_make_an_empty_heat_map() -> None:
    found = heat(explained(events=0, local=0), 0)
    assert (found.events, found.answers, found.limit) == ([], [], 0.0)


def test_one_outlier_does_not_pale_all_other_effects() -> None:
    events = explained(events=400, classes=1)
    usual = heat(events, 0).limit
    events.findings.values[0, 0, 0] = 1000.0
    assert heat(events, 0).limit < 2 * usual


def test_a_heat_map_is_told_in_words() -> None:
    events = explained(events=2, features=1, classes=1)
    events.findings.values[:, 0, 0] = [-0.25, 0.25]
    assert (
        heat(events, 0).label == "Heat map of two events: the answer lies between 0.250 and 0.750, moved most by peak_0"
    )
