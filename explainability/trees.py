"""Exact SHAP values of scikit-learn's trees, forests and boosted trees, path dependent: features that are not known are
averaged over by how many training rows went each way (Lundberg et al., From local explanations to global understanding
with explainable AI for trees, Nature Machine Intelligence 2020, algorithm 2)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from atlas.vocabulary import Task
from explainability.attribution import Attribution, Explainer, ImpossibleError, Subject
from explainability.explained import Output

METHOD = "tree SHAP, path dependent"
TREES = (DecisionTreeClassifier, DecisionTreeRegressor)
FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
BOOSTING = (GradientBoostingClassifier, GradientBoostingRegressor)
HISTOGRAM_BOOSTING = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)

LEAF_VISITS = 30_000_000
"""How many leaves are visited in one explanation, at about a microsecond each."""
FEWEST_ROWS = 10


class Tree(TypedDict):
    """A tree as shap takes it: arrays over nodes, and `values` (nodes, outputs)."""

    children_left: np.ndarray
    children_right: np.ndarray
    children_default: np.ndarray
    features: np.ndarray
    thresholds: np.ndarray
    values: np.ndarray
    node_sample_weight: np.ndarray


@dataclass(frozen=True, slots=True)
class _Sum:
    """SHAP values (rows, features, outputs) of trees that are added up, and their base values (outputs,)."""

    values: np.ndarray
    base: np.ndarray


def accepts(estimator: Any) -> bool:
    """Whether it is a tree or adds up trees. Types are asked, since AdaBoost has the attributes of a forest."""
    return isinstance(estimator, TREES + FORESTS + BOOSTING + HISTOGRAM_BOOSTING)


def attribute(subject: Subject) -> Attribution:
    """SHAP values of the probabilities of a tree or forest, of the margin of boosting, or of a regressor's value.

    Raises:
        ImpossibleError: the model uses something that the algorithm does not know.
    """
    if isinstance(subject.estimator, HISTOGRAM_BOOSTING):
        return _of_histogram_boosting(subject)
    if isinstance(subject.estimator, BOOSTING):
        return _of_boosting(_affordable(subject, subject.estimator.estimators_.ravel()))
    members = [subject.estimator] if isinstance(subject.estimator, TREES) else subject.estimator.estimators_
    return _of_forest(_affordable(subject, members), members)


def _affordable(subject: Subject, members: Any) -> Subject:
    """The subject with as many rows as can be explained in reasonable time."""
    leaves = sum(member.tree_.n_leaves for member in members)
    return replace(subject, features=subject.features[: max(FEWEST_ROWS, LEAF_VISITS // leaves)])


def _of_forest(subject: Subject, members: Any) -> Attribution:
    leaves: Callable[[Any], np.ndarray] = _probabilities if subject.task.is_classification else _values
    found = _shap_values(
        _ensemble([_tree(member.tree_, leaves(member.tree_) / len(members)) for member in members]), subject
    )
    return Attribution(
        method=METHOD,
        output="probability" if subject.task.is_classification else "value",
        values=found.values,
        base_values=found.base,
        answers=_probable(subject) if subject.task.is_classification else subject.ask("predict", subject.features),
    )


def _values(tree: Any) -> np.ndarray:
    """(nodes, outputs) of a regression tree."""
    return np.asarray(tree.value[:, :, 0])


def _probabilities(tree: Any) -> np.ndarray:
    """(nodes, outputs) of a classification tree: each class, the last of two classes, or each label of several."""
    shares = tree.value / tree.value.sum(axis=2, keepdims=True)
    return np.asarray(shares[:, :, -1]) if shares.shape[1] > 1 else _last_of_two(shares[:, 0])


def _last_of_two(columns: np.ndarray) -> np.ndarray:
    """Probabilities add up to one, so that one of two says all."""
    return columns[:, 1:] if columns.shape[1] == 2 else columns


def _probable(subject: Subject) -> np.ndarray:
    if subject.task is not Task.MULTILABEL:
        return _last_of_two(subject.ask("predict_proba", subject.features))
    if any(len(values) != 2 for values in subject.estimator.classes_):
        raise ImpossibleError("One of the labels was there in all events of the training, or in none.")
    return subject.ask("predict_proba", subject.features)


def _of_boosting(subject: Subject) -> Attribution:
    """Gradient boosting: one sum of trees an output, on top of a constant that is none of the trees'."""
    estimator = subject.estimator
    if estimator.init not in (None, "zero"):
        raise ImpossibleError("The model boosts another model (init), which Atlas cannot take apart.")
    found = [_shap_values(_ensemble(_boosted(estimator, column)), subject) for column in estimator.estimators_.T]
    values = np.concatenate([part.values for part in found], axis=2)
    base = np.concatenate([part.base for part in found])
    answers = subject.ask(_margin_method(subject), subject.features)
    constant = answers[0] - base - values[0].sum(axis=0)
    return Attribution(
        method=METHOD, output=_margin_name(subject), values=values, base_values=base + constant, answers=answers
    )


def _boosted(estimator: Any, members: np.ndarray) -> list[Tree]:
    return [_tree(member.tree_, estimator.learning_rate * _values(member.tree_)) for member in members]


def _of_histogram_boosting(subject: Subject) -> Attribution:
    estimator = subject.estimator
    if estimator.is_categorical_ is not None and estimator.is_categorical_.any():
        raise ImpossibleError(
            "The model splits by sets of categories, which tree SHAP does not know; encode them first."
        )
    found = _shap_values(estimator, subject)
    answers = subject.ask(_margin_method(subject), subject.features)
    log_link = getattr(estimator, "loss", "") in {"poisson", "gamma"}
    return Attribution(
        method=METHOD,
        output="margin" if log_link else _margin_name(subject),
        values=found.values,
        base_values=found.base,
        answers=np.log(answers) if log_link else answers,
    )


def _margin_method(subject: Subject) -> str:
    return "decision_function" if subject.task.is_classification else "predict"


def _margin_name(subject: Subject) -> Output:
    return "margin" if subject.task.is_classification else "value"


def _tree(tree: Any, values: np.ndarray) -> Tree:
    return Tree(
        children_left=tree.children_left,
        children_right=tree.children_right,
        children_default=np.where(tree.missing_go_to_left, tree.children_left, tree.children_right),
        features=tree.feature,
        thresholds=tree.threshold,
        values=values,
        node_sample_weight=tree.weighted_n_node_samples,
    )


def _ensemble(trees: list[Tree]) -> dict[str, Any]:
    """Trees for shap, told that scikit-learn's trees compare features in single precision."""
    return {"trees": trees, "input_dtype": np.float32}


def _shap_values(model: Any, subject: Subject) -> _Sum:
    from shap import TreeExplainer  # slow to import, and most processes never need it

    explainer = TreeExplainer(model)
    values = np.asarray(explainer.shap_values(subject.features, check_additivity=False))
    return _Sum(values.reshape(*subject.features.shape, -1), np.atleast_1d(explainer.expected_value))


TREE = Explainer(accepts=accepts, attribute=attribute)
