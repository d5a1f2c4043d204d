"""Exact SHAP values of scikit-learn's trees, forests and boosted trees, path dependent: features that are not known are
averaged over by how many training rows went each way. `explainability.tree_shap` computes them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
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
from explainability.attribution import FEWEST_ROWS, Attribution, Explainer, ImpossibleError, Subject, last_of_two
from explainability.tree_shap import ShapValues, Tree, shap_values

METHOD = "tree SHAP, path dependent"
TREES = (DecisionTreeClassifier, DecisionTreeRegressor)
FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
BOOSTING = (GradientBoostingClassifier, GradientBoostingRegressor)
HISTOGRAM_BOOSTING = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ensemble:
    """What a model adds up.

    Attributes:
        trees: read from the model one after the other, for all of them together may be large.
        count: how many trees there are.
        outputs: how many outputs they add up to.
        precision: in which features are compared with thresholds.
    """

    trees: Iterator[Tree]
    count: int
    outputs: int
    precision: type[np.floating[Any]]

    def explained(self, subject: Subject) -> ShapValues:
        """SHAP values of the first rows, as many as the deadline allows."""
        rows = subject.features.astype(self.precision)
        return shap_values(
            self.trees,
            rows,
            count=self.count,
            outputs=self.outputs,
            deadline=subject.deadline,
            at_least=FEWEST_ROWS,
        )


def accepts(estimator: Any) -> bool:
    """Whether it is a tree or adds up trees. Types are asked, since AdaBoost has the attributes of a forest."""
    return isinstance(estimator, TREES + FORESTS + BOOSTING + HISTOGRAM_BOOSTING)


def attribute(subject: Subject) -> Attribution:
    """SHAP values of the probabilities of a tree or forest, of the margin of boosting, or of a regressor's value.

    Raises:
        ImpossibleError: the model uses something that the algorithm does not know.
    """
    if isinstance(subject.estimator, HISTOGRAM_BOOSTING):
        return _of_boosting(subject, _histogram_boosting(subject.estimator))
    if isinstance(subject.estimator, BOOSTING):
        return _of_boosting(subject, _gradient_boosting(subject.estimator))
    return _of_classifier(subject) if subject.task.is_classification else _of_regressor(subject)


# Trees and forests --------------------------------------------------------------------------------------------------


def _of_regressor(subject: Subject) -> Attribution:
    found = _forest(subject.estimator, _values).explained(subject)
    return Attribution(
        method=METHOD,
        output="value",
        values=found.values,
        base_values=found.base,
        answers=subject.ask("predict", subject.features[: len(found.values)]),
    )


def _of_classifier(subject: Subject) -> Attribution:
    is_multilabel = subject.task is Task.MULTILABEL
    if is_multilabel and any(len(values) != 2 for values in subject.estimator.classes_):
        raise ImpossibleError("One of the labels was there in all events of the training, or in none.")
    found = _forest(subject.estimator, _labels if is_multilabel else _classes).explained(subject)
    answers = subject.ask("predict_proba", subject.features[: len(found.values)])
    if not is_multilabel:
        answers = last_of_two(answers)
        found = _with_the_last_class(found) if answers.shape[1] > 1 else found
    return Attribution(
        method=METHOD, output="probability", values=found.values, base_values=found.base, answers=answers
    )


def _forest(estimator: Any, leaves: Callable[[Any], np.ndarray]) -> _Ensemble:
    """The mean of trees, of whose nodes `leaves` gives the (nodes, outputs) values."""
    members = [estimator] if isinstance(estimator, TREES) else estimator.estimators_
    return _Ensemble(
        trees=(_tree(member.tree_, leaves(member.tree_) / len(members)) for member in members),
        count=len(members),
        outputs=leaves(members[0].tree_).shape[1],
        precision=np.float32,
    )


def _values(tree: Any) -> np.ndarray:
    """(nodes, outputs) of a regression tree."""
    return np.asarray(tree.value[:, :, 0])


def _labels(tree: Any) -> np.ndarray:
    """(nodes, labels) probabilities that each label is there."""
    return np.asarray(_shares(tree)[:, :, 1])


def _classes(tree: Any) -> np.ndarray:
    """(nodes, outputs) probabilities: of the second of two classes, and of all but the last of more, for they add up
    to one."""
    shares = last_of_two(_shares(tree)[:, 0])
    return shares[:, : max(1, shares.shape[1] - 1)]


def _shares(tree: Any) -> np.ndarray:
    return np.asarray(tree.value / tree.value.sum(axis=2, keepdims=True))


def _with_the_last_class(found: ShapValues) -> ShapValues:
    """What the classes that were computed leave to it."""
    return ShapValues(
        values=np.concatenate([found.values, -found.values.sum(axis=2, keepdims=True)], axis=2),
        base=np.append(found.base, 1.0 - found.base.sum()),
    )


# Boosting -----------------------------------------------------------------------------------------------------------


def _of_boosting(subject: Subject, ensemble: _Ensemble) -> Attribution:
    """The trees, on top of a constant that is none of theirs."""
    found = ensemble.explained(subject)
    answers = _margins(subject, len(found.values))
    constant = answers[0] - found.base - found.values[0].sum(axis=0)
    return Attribution(
        method=METHOD,
        output="margin" if subject.task.is_classification or _has_log_link(subject.estimator) else "value",
        values=found.values,
        base_values=found.base + constant,
        answers=answers,
    )


def _margins(subject: Subject, count: int) -> np.ndarray:
    """(count, outputs) what the trees add up to for the first rows."""
    rows = subject.features[:count]
    if subject.task.is_classification:
        return subject.ask("decision_function", rows)
    answers = subject.ask("predict", rows)
    return np.log(answers) if _has_log_link(subject.estimator) else answers


def _has_log_link(estimator: Any) -> bool:
    return isinstance(estimator, HistGradientBoostingRegressor) and estimator.loss in {"poisson", "gamma"}


def _gradient_boosting(estimator: Any) -> _Ensemble:
    if not (isinstance(estimator.init_, DummyClassifier | DummyRegressor) or estimator.init == "zero"):
        raise ImpossibleError("The model boosts another model (init), which Atlas cannot take apart.")
    return _Ensemble(
        trees=(
            _tree(member.tree_, estimator.learning_rate * _values(member.tree_), column)
            for stage in estimator.estimators_
            for column, member in enumerate(stage)
        ),
        count=estimator.estimators_.size,
        outputs=estimator.estimators_.shape[1],
        precision=np.float32,
    )


def _histogram_boosting(estimator: Any) -> _Ensemble:
    if estimator.is_categorical_ is not None and estimator.is_categorical_.any():
        raise ImpossibleError(
            "The model splits by sets of categories, which tree SHAP does not know; encode them first."
        )
    stages = estimator._predictors  # scikit-learn has no public way to the trees
    outputs = estimator.n_trees_per_iteration_
    return _Ensemble(
        trees=(_histogram_tree(member.nodes, column) for stage in stages for column, member in enumerate(stage)),
        count=len(stages) * outputs,
        outputs=outputs,
        precision=np.float64,
    )


# Reading a tree -----------------------------------------------------------------------------------------------------


def _tree(tree: Any, values: np.ndarray, column: int = 0) -> Tree:
    return Tree(
        left=tree.children_left,
        right=tree.children_right,
        feature=tree.feature,
        threshold=tree.threshold,
        missing_left=tree.missing_go_to_left,
        cover=tree.weighted_n_node_samples,
        values=values,
        column=column,
    )


def _histogram_tree(nodes: np.ndarray, column: int) -> Tree:
    return Tree(
        left=np.where(nodes["is_leaf"], -1, nodes["left"].astype(np.int64)),
        right=nodes["right"],
        feature=nodes["feature_idx"],
        threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"],
        cover=nodes["count"],
        values=nodes["value"][:, None],
        column=column,
    )


TREE = Explainer(accepts=accepts, attribute=attribute)
