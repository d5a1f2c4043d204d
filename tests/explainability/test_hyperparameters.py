"""Hyperparameters of every shape of model, friendly or not."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import AdaBoostClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from explainability.hyperparameters import MAX_DEPTH, MAX_GROUPS, MAX_TEXT, MAX_VALUES, hyperparameters


class Odd:
    """Something that answers `get_params` in its own way."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def get_params(self, deep: bool = True) -> Any:
        return self._answer()


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def fails() -> Any:
    raise RuntimeError("no")


def values_of(**parameters: Any) -> dict[str, str]:
    return hyperparameters(Odd(lambda: parameters))[0].values


def test_a_plain_estimator_has_one_group_with_all_its_parameters() -> None:
    (group,) = hyperparameters(DecisionTreeClassifier(max_depth=3, criterion="entropy"))
    assert (group.step, group.estimator) == ("", "DecisionTreeClassifier")
    assert group.values["max_depth"] == "3"
    assert group.values["criterion"] == "'entropy'"
    assert set(group.values) == set(DecisionTreeClassifier().get_params())


def test_nested_pipelines_have_one_group_a_step_outer_before_inner() -> None:
    numbers = Pipeline([("scale", StandardScaler(with_mean=False)), ("nothing", "passthrough")])
    prepare = ColumnTransformer(
        [("numbers", numbers, ["a"]), ("kinds", OneHotEncoder(), ["b"]), ("rest", "drop", ["c"])]
    )
    both = FeatureUnion([("prepare", prepare), ("copy", FunctionTransformer())])
    groups = hyperparameters(Pipeline([("both", both), ("model", LogisticRegression(C=2.0))]))
    assert [(group.step, group.estimator) for group in groups] == [
        ("", "Pipeline"),
        ("both", "FeatureUnion"),
        ("both.prepare", "ColumnTransformer"),
        ("both.prepare.numbers", "Pipeline"),
        ("both.prepare.numbers.scale", "StandardScaler"),
        ("both.prepare.kinds", "OneHotEncoder"),
        ("both.copy", "FunctionTransformer"),
        ("model", "LogisticRegression"),
    ]
    assert groups[4].values["with_mean"] == "False"
    assert groups[-1].values["C"] == "2.0"


def test_a_step_stands_in_its_pipelines_values_by_the_name_of_its_class() -> None:
    group = hyperparameters(make_pipeline(StandardScaler(), LogisticRegression()))[0]
    assert group.values["steps"] == "[('standardscaler', StandardScaler), ('logisticregression', LogisticRegression)]"


def test_the_estimator_inside_an_ensemble_has_a_group() -> None:
    steps = [group.step for group in hyperparameters(AdaBoostClassifier(DecisionTreeClassifier()))]
    assert steps == ["", "estimator"]
    voting = VotingClassifier([("tree", DecisionTreeClassifier()), ("line", LogisticRegression())])
    assert [group.step for group in hyperparameters(voting)] == ["", "tree", "line"]


def test_a_search_is_shown_with_what_it_chose() -> None:
    search = GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2]}, cv=2)
    truth = np.arange(40) // 10 % 2
    search.fit(np.arange(40)[:, None], truth)
    groups = hyperparameters(search)
    assert [group.step for group in groups] == ["", "estimator"]
    assert groups[1].values["max_depth"] == str(search.best_params_["max_depth"])


def instance(kind: type[BaseEstimator]) -> BaseEstimator:
    """An estimator with its defaults; what has none is the estimator that it wraps."""
    parameters = inspect.signature(kind).parameters.values()
    return kind(*[LogisticRegression() for parameter in parameters if parameter.default is parameter.empty])


@pytest.mark.filterwarnings("ignore::FutureWarning")  # some estimators are on their way out
def test_every_estimator_of_scikit_learn_has_its_parameters() -> None:
    for _, kind in all_estimators():
        model = instance(kind)
        assert set(hyperparameters(model)[0].values) == set(model.get_params(deep=False)), kind


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.log1p, "log1p"),
        (fails, "fails"),
        (float, "float"),
        (LogisticRegression(), "LogisticRegression"),
        (None, "None"),
        (0.1, "0.1"),
        ("two\nlines", r"'two\nlines'"),
        (np.array([1.0, 2.0]), "array([1., 2.])"),
        (Unprintable(), "<Unprintable instance>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_short_text(value: object, text: str) -> None:
    assert values_of(value=value)["value"] == text


def test_text_has_no_memory_addresses_so_that_it_is_the_same_in_every_process() -> None:
    assert "0x" not in values_of(state=np.random.RandomState(0), thing=object())["state"]
    assert values_of(thing=object())["thing"] == "<object object>"


@pytest.mark.parametrize("value", ["x" * 10_000, list(range(100_000)), np.zeros((50, 50)), {n: n for n in range(999)}])
def test_long_values_are_cut(value: object) -> None:
    assert len(values_of(value=value)["value"]) <= MAX_TEXT


@pytest.mark.parametrize("answer", [fails, lambda: None, lambda: 3, lambda: [1, 2]])
def test_an_estimator_whose_parameters_cannot_be_read_has_no_group(answer: Callable[[], Any]) -> None:
    assert hyperparameters(Odd(answer)) == ()


def test_an_estimator_that_cannot_be_read_does_not_hide_the_others() -> None:
    groups = hyperparameters(Pipeline([("odd", Odd(fails)), ("model", LogisticRegression())]))
    assert [group.step for group in groups] == ["", "model"]


def test_something_without_parameters_has_no_groups() -> None:
    assert hyperparameters(object()) == ()
    assert hyperparameters(None) == ()


def test_an_estimator_inside_itself_is_read_once() -> None:
    odd = Odd(lambda: {"inner": odd, "depth": 1})
    assert [group.step for group in hyperparameters(odd)] == [""]


def test_estimators_without_end_are_cut() -> None:
    def endless() -> dict[str, Any]:
        return {"inner": Odd(endless)}

    assert len(hyperparameters(Odd(endless))) == MAX_DEPTH + 1


def test_very_many_steps_and_values_are_cut() -> None:
    crowd = Odd(lambda: {f"step{number}": Odd(lambda: dict.fromkeys(range(1_000), 0)) for number in range(MAX_VALUES)})
    groups = hyperparameters(crowd)
    assert len(groups) == MAX_GROUPS
    assert len(groups[1].values) == MAX_VALUES


def test_names_that_are_no_text_become_text() -> None:
    assert hyperparameters(Odd(lambda: {1: "a"}))[0].values == {"1": "'a'"}
