"""Hyperparameters of every shape of model, friendly or not."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import JsonValue
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import AdaBoostClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from atlas.formats import Model
from atlas.metrics import Predictions
from explainability.hyperparameters import (
    MAX_DEPTH,
    MAX_GROUPS,
    MAX_TEXT,
    MAX_VALUES,
    OF_THE_AUTHOR,
    hyperparameters,
    of_the_author,
    with_the_author_s,
)


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
    return kind(*[LogisticRegression() for _ in needed(kind)])


def needed(kind: type[BaseEstimator]) -> list[str]:
    """What an estimator has no default for."""
    parameters = inspect.signature(kind).parameters.values()
    return [parameter.name for parameter in parameters if parameter.default is parameter.empty]


@pytest.mark.filterwarnings("ignore::FutureWarning")  # some estimators are on their way out
def test_every_estimator_of_scikit_learn_has_its_parameters() -> None:
    for _, kind in all_estimators():
        model = instance(kind)
        group = hyperparameters(model)[0]
        assert set(group.values) == set(model.get_params(deep=False)), kind
        assert set(group.chosen or ()) == set(needed(kind)), kind


class Base(BaseEstimator):  # type: ignore[misc]  # an untyped package
    def __init__(self, depth: int = 3, missing: float = float("nan")) -> None:
        self.depth = depth
        self.missing = missing


class PassingOn(Base):
    """Like XGBoost's estimators, whose constructors take what their ancestors name."""

    def __init__(self, rate: float = 0.1, **others: Any) -> None:
        super().__init__(**others)
        self.rate = rate

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"rate": self.rate, "depth": self.depth, "missing": self.missing, "odd": 1}


class NoSignature:
    """A class whose constructor cannot be looked into."""

    __init__ = property(lambda self: fails())

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"a": 1}


def chosen(model: Any) -> tuple[str, ...] | None:
    return hyperparameters(model)[0].chosen


def test_values_that_are_not_the_defaults_are_told() -> None:
    assert chosen(DecisionTreeClassifier(max_depth=3, criterion="entropy")) == ("criterion", "max_depth")
    assert chosen(DecisionTreeClassifier(max_depth=None, criterion="gini")) == ()
    assert chosen(FunctionTransformer(np.log1p)) == ("func",)
    assert chosen(PolynomialFeatures(degree=2.0)) == ("degree",)


def test_what_has_no_default_was_chosen() -> None:
    assert chosen(make_pipeline(StandardScaler())) == ("steps",)
    assert set(chosen(GridSearchCV(LogisticRegression(), {"C": [1]})) or ()) == {"estimator", "param_grid"}


def test_defaults_are_those_of_ancestors_too() -> None:
    assert chosen(Base(float("nan"))) == ("depth",)  # type: ignore[arg-type]
    assert chosen(PassingOn(depth=4)) == ("depth", "odd")
    assert chosen(PassingOn(rate=0.2)) == ("rate", "odd")


def test_where_nobody_knows_the_defaults_nothing_is_chosen() -> None:
    assert chosen(Odd(lambda: {"answer_me": 1})) is None
    assert chosen(object.__new__(NoSignature)) is None
    assert chosen(Odd(dict)) == ()


def test_a_default_that_cannot_be_printed_costs_nothing() -> None:
    class Unfriendly(BaseEstimator):  # type: ignore[misc]  # an untyped package
        def __init__(self, thing: object = Unprintable()) -> None:
            self.thing = thing

    assert chosen(Unfriendly()) == ()
    assert chosen(Unfriendly(2)) == ("thing",)


class OfAFormat(Model):
    """A model of a format whose file tells some of what was chosen."""

    def predict(self, features: Any, needs: Any) -> Predictions:
        raise NotImplementedError

    def get_params(self, deep: bool = False) -> dict[str, Any]:
        return {"depth": 6, "rate": 0.5}

    def chosen_params(self) -> set[str]:
        return {"rate", "verbose"}


class Silent(OfAFormat):
    chosen_params = Model.chosen_params  # type: ignore[assignment]


def test_a_model_of_a_format_says_itself_what_was_chosen() -> None:
    assert chosen(OfAFormat()) == ("rate",)
    assert chosen(Silent()) is None


def test_the_author_s_words_stand_beside_a_file_that_does_not_tell_what_was_chosen() -> None:
    said: dict[str, JsonValue] = {"max_depth": 3, "loss": "log", "layers": [1, 2]}
    groups = with_the_author_s(hyperparameters(Silent()), said)
    assert [group.estimator for group in groups] == ["Silent", OF_THE_AUTHOR]
    assert groups[1].values == {"max_depth": "3", "loss": "log", "layers": "[1, 2]"}
    assert groups[1].chosen is None
    assert with_the_author_s((), said) == groups[1:]


def test_the_author_s_words_are_not_repeated() -> None:
    groups = hyperparameters(LogisticRegression())
    assert with_the_author_s(groups, {"C": 1.0}) == groups
    assert with_the_author_s(hyperparameters(Silent()), {}) == hyperparameters(Silent())


def test_an_author_s_many_and_long_words_are_cut() -> None:
    group = of_the_author({f"{number}": "x" * 10_000 for number in range(1_000)})
    assert len(group.values) == MAX_VALUES
    assert max(map(len, group.values.values())) == MAX_TEXT


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
