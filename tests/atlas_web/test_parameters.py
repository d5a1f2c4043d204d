"""Hyperparameters as boxes, and what differs from the version before."""

from datetime import timedelta

import pytest

from atlas.results import HyperparameterGroup
from atlas_web.parameters import Box, Parameters, Value, parameters
from explainability.hyperparameters import OF_THE_AUTHOR
from storage import queries
from tests import stage
from tests.samples import NOON, result

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def group(
    step: str = "model", estimator: str = "Forest", chosen: tuple[str, ...] | None = (), **values: str
) -> HyperparameterGroup:
    return HyperparameterGroup(step=step, estimator=estimator, values=values, chosen=chosen)


def shown(
    now: tuple[HyperparameterGroup, ...],
    before: tuple[HyperparameterGroup, ...] | None = None,
    *,
    said: dict[str, str] | None = None,
    said_before: dict[str, str] | None = None,
) -> Parameters:
    """Of a model with these hyperparameters, and a version before it with others if there are any."""
    version = stage.add_version()
    earlier = stage.add_model(
        "Forest-0.9.0-1", version="0.9.0", created=NOON - timedelta(1), hyperparameters=said_before or {}
    )
    if before:
        stage.finish(earlier, version, result(hyperparameters=before))
    model = stage.add_model("Forest-1.0.0-1", hyperparameters=said or {})
    if now:
        stage.finish(model, version, result(hyperparameters=now))
    page = queries.model_page(model)
    assert page is not None
    return parameters(page)


def only(found: Parameters) -> Box:
    (box,) = found.boxes
    return box


def test_what_was_chosen_stands_apart_from_defaults_both_by_name() -> None:
    box = only(shown((group(chosen=("b", "c"), c="3", a="1", b="2", d="4"),)))
    assert (box.step, box.estimator, box.note) == ("model", "Forest", "")
    assert box.values == [Value(name="b", text="2"), Value(name="c", text="3")]
    assert box.defaults == [Value(name="a", text="1"), Value(name="d", text="4")]


def test_where_nobody_knows_the_defaults_all_values_are_shown() -> None:
    box = only(shown((group(chosen=None, a="1", b="2"),)))
    assert ([value.name for value in box.values], box.defaults) == (["a", "b"], [])


def test_a_value_that_differs_is_marked_even_if_it_is_a_default_now() -> None:
    found = shown((group(rate="0.1", depth="3", new="1"),), (group(rate="0.3", depth="3", old="7", chosen=("rate",)),))
    assert only(found).values == [
        Value(name="new", text="1", note="new"),
        Value(name="rate", text="0.1", note="was 0.3"),
        Value(name="old", text="", note="gone, was 7"),
    ]
    assert only(found).defaults == [Value(name="depth", text="3")]
    assert found.differences == "3 differences"
    assert found.before is not None
    assert found.before.model.name == "Forest-0.9.0-1"


def test_steps_that_came_and_went_are_said() -> None:
    found = shown((group(), group("scale", "Scaler")), (group(), group("select", "Best"), group("", "Pipeline")))
    assert [box.note for box in found.boxes] == ["", "new step"]
    assert found.gone == ["select", "Pipeline"]
    assert found.differences == "3 differences"


def test_a_step_of_another_kind_is_said_and_its_values_are_not_compared() -> None:
    found = shown((group(estimator="Forest", depth="3"),), (group(estimator="SVC", C="1"),))
    assert only(found).note == "was SVC"
    assert [value.note for value in only(found).values] == []
    assert found.differences == "1 difference"


def test_the_same_hyperparameters_have_no_difference() -> None:
    assert shown((group(a="1"),), (group(a="1"),)).differences == "no difference"


def test_before_a_benchmark_the_words_of_two_authors_are_compared() -> None:
    found = shown((), said={"depth": "3"}, said_before={"depth": "4"})
    assert only(found).estimator == OF_THE_AUTHOR
    assert only(found).values == [Value(name="depth", text="3", note="was 4")]


def test_what_a_benchmark_found_is_not_compared_with_an_author_s_words() -> None:
    found = shown((group(depth="3"),), said_before={"depth": "4"})
    assert (found.before, only(found).note, only(found).values) == (None, "", [])


def test_an_author_s_words_are_not_compared_with_what_a_benchmark_found() -> None:
    found = shown((), (group(depth="4"),), said={"depth": "3"})
    assert (found.before, only(found).note, only(found).values) == (None, "", [Value(name="depth", text="3")])


def test_an_author_s_words_beside_those_of_the_file_are_no_new_step() -> None:
    file = group("", "Network", None, parameters="67")
    said = group("model", OF_THE_AUTHOR, None, rate="0.1")
    found = shown((file, said), (file,))
    assert ([box.note for box in found.boxes], found.differences) == (["", ""], "no difference")


def test_a_model_of_which_nothing_is_known_has_no_boxes() -> None:
    assert shown(()) == Parameters(boxes=[], before=None, gone=[])
