"""SHAP values of linear models, in closed form.

For f(x) = b + sum of c_i x_i, and features taken as independent, the value of feature i is c_i (x_i - mean of x_i over
the background): Lundberg and Lee, A Unified Approach to Interpreting Model Predictions, NeurIPS 2017, Corollary 1.
"""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.svm import SVC, NuSVC

from explainability.attribution import Attribution, Explainer, ImpossibleError, Subject

METHOD = "linear SHAP, independent features"


def accepts(estimator: Any) -> bool:
    """Whether it is a linear model, or a generalized one."""
    return hasattr(estimator, "coef_") and hasattr(estimator, "intercept_")


def attribute(subject: Subject) -> Attribution:
    """SHAP values of the margin of a classifier, the value of a regressor, or its logarithm where that is linear.

    Raises:
        ImpossibleError: the model has coefficients, but is not linear in its features.
    """
    coefficients = _coefficients(subject.estimator)
    mean = subject.background_mean()
    margins = _margin(subject, np.vstack([mean, subject.features]))  # asked once: that is what takes the time
    by_output = np.multiply(subject.features - mean, coefficients[:, None], order="C")  # the order that is soon filled
    return Attribution(
        method=METHOD,
        output="margin" if subject.task.is_classification or has_log_link(subject.estimator) else "value",
        values=np.moveaxis(by_output, 0, 2),
        base_values=margins[0],
        answers=margins[1:],
        background_rows=len(subject.others),
    )


def _coefficients(estimator: Any) -> np.ndarray:
    """(outputs, features)."""
    coefficients = estimator.coef_
    dense = coefficients.toarray() if sparse.issparse(coefficients) else coefficients
    outputs = np.atleast_2d(np.asarray(dense, dtype=float))
    if isinstance(estimator, SVC | NuSVC) and len(outputs) > 1:
        name = type(estimator).__name__
        raise ImpossibleError(f"{name} lets pairs of classes vote, which is not linear in the features.")
    return outputs


def has_log_link(estimator: Any) -> bool:
    """Whether the logarithm of the prediction is what is linear."""
    if isinstance(estimator, TweedieRegressor):
        return bool(estimator.link == "log" or (estimator.link == "auto" and estimator.power > 0))
    return isinstance(estimator, PoissonRegressor | GammaRegressor)


def _margin(subject: Subject, rows: np.ndarray) -> np.ndarray:
    if subject.task.is_classification:
        return subject.ask("decision_function", rows)
    predicted = subject.ask("predict", rows)
    return np.log(predicted) if has_log_link(subject.estimator) else predicted


LINEAR = Explainer(accepts=accepts, attribute=attribute)
