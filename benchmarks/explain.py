"""What an explanation costs, beside shap's explainers and the one that mlflow uses.

    python -m benchmarks.explain [--json] [--quick] [--only PART ...] [--rounds N]

All computes in one thread and takes turns. Every figure is a ratio of processor times for values that are checked to
agree first; docs/reference/speed.md says what each is.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import shap
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from atlas_web.environment import Environment
from benchmark_engine.settings import EngineSettings
from benchmarks.cases import Case, Data, data, model, rms
from benchmarks.demo_ranks import ranks
from benchmarks.figures import Figures, Targets, tell, wish
from benchmarks.rounds import Rounds
from benchmarks.subjects import prepare, subjects
from benchmarks.walks import shapley_values
from explainability import permutation, tree_shap
from explainability.boosters import LEAST_DIGITS
from explainability.permutation import PERMUTATION

TARGETS: Targets = {
    "forest_deep_vs_shap": ("≥", 15.0),
    "boosting_vs_shap": ("≥", 1.0),
    "gradient_boosting_vs_shap": ("≥", 1.0),
    "linear_vs_shap": ("≥", 1.0),
    "svm_vs_permutation": ("≥", 5.0),
    "mlp_vs_permutation": ("≥", 8.0),
    "vs_mlflow": ("≥", 1.0),
    "importance_rank": ("≥", 0.99),
}
EXACT = 1e-6
"""So far may exact values be from shap's, relative to the largest."""
ALIKE = 0.5
"""At least so much must importances of the same model correlate where different outputs are explained."""
PAIRS = (10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 100, 120, 150, 200, 300, 400)
"""How many pairs of walks are tried. When all of the background is used equally often, the error is much smaller."""
BRIEF_SECONDS = 0.1
"""What takes less is measured several times."""
NATIVE: Mapping[str, tuple[str, dict[str, Any]]] = {
    "xgboost": ("XGBClassifier", {"n_jobs": 1, "grow_policy": "lossguide", "max_depth": 0, "max_leaves": 31}),
    "lightgbm": ("LGBMClassifier", {"n_jobs": 1, "verbose": -1}),
    "catboost": (
        "CatBoostClassifier",
        {"thread_count": 1, "verbose": 0, "allow_writing_files": False, "grow_policy": "Lossguide"},
    ),
}
"""Libraries with contributions of their own: the estimator, and what gives it one thread and trees of 31 leaves."""

Values = Callable[[Case], np.ndarray]
"""Computes (rows, features, outputs) SHAP values."""


class DisagreementError(Exception):
    """Two ways to explain a model do not give the same, so that their times say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """What the parts measure with.

    Attributes:
        cache: a folder that stays.
        quick: whether models are small and rows few.
        rounds: how often each is measured.
    """

    cache: Path
    quick: bool
    rounds: int

    def fitted(self, name: str) -> tuple[Any, Data]:
        """A subject's model and its events."""
        prepared = prepare(subjects(quick=self.quick)[name], self.cache / ("quick" if self.quick else "full"))
        return model(prepared), data(prepared)

    def size(self, whole: int, quick: int) -> int:
        """The second if it must be quick."""
        return quick if self.quick else whole


# Models


def forest_case(rig: Rig) -> Case:
    """200 trees of unlimited depth and five classes."""
    estimator, events = rig.fitted("forest")
    return events.case(estimator, train=0, explain=rig.size(100, 8))


def boosting_case(rig: Rig) -> Case:
    """Histogram boosting, 500 trees."""
    estimator, events = rig.fitted("boosting")
    return events.case(estimator, train=0, explain=rig.size(100, 8), method="decision_function")


def gradient_boosting_case(rig: Rig) -> Case:
    """Boosted trees of depth 3 for two classes: those of shap take no more."""
    _, events = rig.fitted("boosting")
    estimator = GradientBoostingClassifier(n_estimators=rig.size(100, 5), random_state=0)
    two = events.of_two_classes()
    return two.case(estimator, train=rig.size(2_000, 200), explain=rig.size(100, 8), method="decision_function")


def linear_case(rig: Rig) -> Case:
    """A logistic regression."""
    _, events = rig.fitted("boosting")
    estimator = LogisticRegression()
    return events.case(estimator, train=rig.size(2_000, 200), explain=rig.size(1_000, 50), method="decision_function")


def svm_case(rig: Rig, *, of_two: bool = False) -> Case:
    """A support vector machine with a Gaussian kernel. Of more than two classes its scores jump with the votes of pairs
    of classes; of two they are smooth."""
    _, five = rig.fitted("boosting")
    events = five.of_two_classes() if of_two else five
    return events.case(SVC(), train=rig.size(600, 100), explain=rig.size(10, 3), method="decision_function")


def mlp_case(rig: Rig) -> Case:
    """A network with two hidden layers."""
    _, events = rig.fitted("boosting")
    estimator = MLPClassifier((128, 128), max_iter=rig.size(30, 2), random_state=0)
    return events.case(estimator, train=rig.size(2_000, 200), explain=rig.size(100, 3))


# Ways to explain


def ours(case: Case) -> np.ndarray:
    """By the explainer that Atlas chooses."""
    return case.explainer.attribute(case.subject()).values


def by_shap_tree(case: Case) -> np.ndarray:
    """By shap's explainer of trees, path dependent; of two classes, both or only the last."""
    return _columns(shap.TreeExplainer(case.estimator).shap_values(case.rows, check_additivity=False), case)


def by_shap_linear(case: Case) -> np.ndarray:
    """By shap's explainer of linear models."""
    return _columns(shap.LinearExplainer(case.estimator, case.background).shap_values(case.rows), case)


def by_shap_permutation(case: Case) -> np.ndarray:
    """By shap's sampler of permutations, with its defaults."""
    masker = shap.maskers.Independent(case.background, max_samples=len(case.background))
    return _columns(shap.PermutationExplainer(case.answer, masker, seed=0)(case.rows, silent=True).values, case)


def as_mlflow(case: Case) -> np.ndarray:
    """As `mlflow.models.evaluate` does for more than two classes: `shap.Explainer` of the class that is predicted, as
    a number."""
    names = [f"x{number:03}" for number in range(case.rows.shape[1])]

    def predicted(rows: Any) -> np.ndarray:
        classes = case.estimator.predict(pd.DataFrame(rows, columns=names).to_numpy())
        return np.asarray(np.searchsorted(case.estimator.classes_, classes), dtype=float)

    explainer = shap.Explainer(predicted, pd.DataFrame(case.background, columns=names), seed=0)
    return _columns(explainer(pd.DataFrame(case.rows, columns=names), silent=True).values, case)


def _columns(values: Any, case: Case) -> np.ndarray:
    return np.asarray(values).reshape(*case.rows.shape, -1)


# Parts


def forest(rig: Rig) -> Figures:
    """A deep forest beside shap's explainer of trees."""
    return _exact("forest_deep", forest_case(rig), by_shap_tree, rig.rounds)


def boosting(rig: Rig) -> Figures:
    """Boosting of both kinds beside shap's explainer of trees."""
    return {
        **_exact("boosting", boosting_case(rig), by_shap_tree, rig.rounds),
        **_exact("gradient_boosting", gradient_boosting_case(rig), by_shap_tree, rig.rounds),
    }


def linear(rig: Rig) -> Figures:
    """A logistic regression beside shap's explainer of linear models."""
    return _exact("linear", linear_case(rig), by_shap_linear, rig.rounds)


def _exact(name: str, case: Case, theirs: Values, rounds: int) -> Figures:
    measured = Rounds()
    for _ in range(rounds):
        (mine, my_seconds), (other, other_seconds) = timed(ours, case), timed(theirs, case)
        check_same(mine, other, EXACT)
        measured.add({f"{name} ours": my_seconds, f"{name} shap": other_seconds})
    return {f"{name}_vs_shap": measured.ratio(f"{name} shap", f"{name} ours"), **measured.medians()}


def svm(rig: Rig) -> Figures:
    """A support vector machine beside shap's sampler of permutations."""
    return _sampled("svm", svm_case(rig, of_two=True), rig)


def mlp(rig: Rig) -> Figures:
    """A neural network beside shap's sampler of permutations."""
    return _sampled("mlp", mlp_case(rig), rig)


def _sampled(name: str, case: Case, rig: Rig) -> Figures:
    """With as many pairs of walks as make our error no larger than shap's."""
    reference = shapley_values(case.answer, case.rows, case.background, pairs=rig.size(1_000, 100))
    error = rms(by_shap_permutation(case) - reference)
    pairs, my_error = _enough_pairs(case, reference, error)
    measured = Rounds()
    with just(pairs):
        for _ in range(rig.rounds):
            seconds = {
                f"{name} ours": timed(ours, case)[1],
                f"{name} permutation": timed(by_shap_permutation, case)[1],
            }
            measured.add(seconds)
    return {
        f"{name}_vs_permutation": measured.ratio(f"{name} permutation", f"{name} ours"),
        f"{name}_pairs": pairs,
        f"{name}_error_ours": my_error,
        f"{name}_error_permutation": error,
        **measured.medians(),
    }


def _enough_pairs(case: Case, reference: np.ndarray, error: float) -> tuple[int, float]:
    """The first number of pairs of walks that makes the error as small, and what it then is.

    Raises:
        DisagreementError: none does.
    """
    for pairs in PAIRS:
        with just(pairs):
            found = rms(PERMUTATION.attribute(case.subject()).values - reference)
        if found <= error:
            return pairs, found
    raise DisagreementError(f"With {pairs} pairs of walks our error is still {found:.3g}, and shap's is {error:.3g}.")


@contextmanager
def just(pairs: int) -> Iterator[None]:
    """Our sampler takes so many pairs of walks for each row while the block runs, whatever its error."""
    with mock.patch.multiple(permutation, PAIRS=pairs, PAIRS_IN_ALL=0, ENOUGH=0.0):
        yield


def mlflow(rig: Rig) -> Figures:
    """Every kind of model beside what mlflow does with it, by the time of a row. The figure is that of the worst."""
    cases = {"forest": forest_case, "boosting": boosting_case, "linear": linear_case, "svm": svm_case, "mlp": mlp_case}
    figures: Figures = {}
    for name, make in cases.items():
        case = make(rig)
        few = replace(case, rows=case.rows[:4])
        with just(permutation.PAIRS):  # more accurate than what is timed beside it, whatever more there is time for
            (mine, my_seconds), (other, other_seconds) = timed(ours, case), timed(as_mlflow, few)
        figures[f"mlflow_correlation_{name}"] = alike(mine[: len(few.rows)], other)
        figures[f"vs_mlflow_{name}"] = other_seconds / len(few.rows) / (my_seconds / len(case.rows))
    return {"vs_mlflow": min(figures[f"vs_mlflow_{name}"] for name in cases), **figures}


def native(rig: Rig) -> Figures:
    """Libraries that compute contributions themselves, which Atlas asks for: beside shap on the same model, and beside
    our own algorithm on histogram boosting with as many trees of as many leaves."""
    figures: Figures = {}
    similar = boosting_case(rig)
    for library, (kind, options) in NATIVE.items():
        try:
            estimator = getattr(import_module(library), kind)(n_estimators=rig.size(100, 4), **options)
        except ModuleNotFoundError as error:
            sys.stderr.write(f"not measured: {error}\n")
            continue
        case = rig.fitted("boosting")[1].case(estimator, train=rig.size(4_000, 400), explain=len(similar.rows))
        (mine, my_seconds), (other, shap_seconds) = timed(ours, case), timed(by_shap_tree, case)
        check_same(mine, other, LEAST_DIGITS)
        figures[f"{library}_vs_shap"] = shap_seconds / my_seconds
        figures[f"boosting_vs_{library}"] = my_seconds / timed(ours, similar)[1]
    return figures


def importance_rank(rig: Rig) -> Figures:
    """Importances of the demo's models by the default budget, and by ten times the budget or the events."""
    defaults = EngineSettings.model_fields
    events, seconds = defaults["explained_rows"].default, defaults["explain_seconds"].default
    tags = frozenset({"wine"} if rig.quick else {"wine", "digits", "diabetes", "breast-cancer"})
    figures: Figures = {}
    for rank in ranks(events=rig.size(events, 50), seconds=rig.size(seconds, 2), tags=tags):
        figures |= {
            f"importance_rank_{rank.model}": rank.own,
            f"importance_events_{rank.model}": rank.events,
            f"importance_tenfold_{rank.model}": rank.tenfold,
        }
    return {"importance_rank": _least(figures, "rank"), "importance_tenfold": _least(figures, "tenfold"), **figures}


def _least(figures: Figures, kind: str) -> float:
    return min(value for name, value in figures.items() if name.startswith(f"importance_{kind}_"))


PARTS: Mapping[str, Callable[[Rig], Figures]] = {
    part.__name__: part for part in (forest, boosting, linear, svm, mlp, mlflow, native, importance_rank)
}


# Measuring


def timed(explain: Values, case: Case) -> tuple[np.ndarray, float]:
    """The values, and how many seconds of the processor they took; the fewest of several times if these are few."""
    taken: list[float] = []
    while sum(taken) < BRIEF_SECONDS:
        started = time.process_time()
        values = explain(case)
        taken.append(time.process_time() - started)
    return values, min(taken)


def check_same(mine: np.ndarray, other: np.ndarray, tolerance: float) -> None:
    """See that two ways give the same values.

    Raises:
        DisagreementError: they do not.
    """
    gap = float(np.abs(mine - other).max() / np.abs(other).max())
    if not gap <= tolerance:
        raise DisagreementError(f"The values differ by {gap:.3g} of the largest, more than {tolerance:g}.")


def alike(mine: np.ndarray, other: np.ndarray) -> float:
    """How far values of different outputs of a model find the same features important: the importances' correlation.

    Raises:
        DisagreementError: they do not.
    """
    one, another = (np.abs(values).mean(axis=0).sum(axis=1) for values in (mine, other))
    correlation = float(np.corrcoef(one, another)[0, 1])
    if not correlation >= ALIKE:
        raise DisagreementError(f"The importances correlate with {correlation:.2f}, less than {ALIKE}.")
    return correlation


def main() -> None:
    """Measure and print."""
    asked = wish(__doc__ or "", PARTS, rounds=3)
    rig = Rig(
        cache=Environment.from_environment().data_dir / "benchmarks",
        quick=asked.quick,
        rounds=asked.rounds,
    )
    tree_shap.warm_up()
    figures: Figures = {}
    with threadpool_limits(1):
        for name in asked.only:
            figures |= PARTS[name](rig)
    tell(figures, TARGETS, as_json=asked.as_json)


if __name__ == "__main__":
    main()
