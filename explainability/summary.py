"""The summary of an explanation: what the database keeps of the values of single events."""

from collections.abc import Sequence

import numpy as np

from atlas.results import Explanation, Importance
from explainability.explained import Findings

MOST_IMPORTANCES = 500
"""The importances of so many features are kept, the most important ones."""
DIGITS = 6


def summarized(findings: Findings, is_sampled: np.ndarray, *, of_rows: int, seconds: float) -> Explanation:
    """The summary of what explaining a model gave.

    Args:
        findings: of n events.
        is_sampled: (n,) which of them are a fair sample of all: importances are means over these.
        of_rows: how many events there are.
        seconds: how long it took.
    """
    values = findings.values[is_sampled].astype(float)
    return Explanation(
        method=findings.method,
        output=findings.output,
        outputs=findings.outputs,
        base_values=tuple(findings.base_values.tolist()),
        rows=len(values),
        of_rows=of_rows,
        picked_rows=len(findings.values) - len(values),
        background=findings.background,
        background_rows=findings.background_rows,
        value_error=findings.value_error,
        gap=findings.gap,
        seconds=seconds,
        importances=importances(values, findings.features, of_rows=of_rows),
        column_importances=_of_columns(values, findings, of_rows),
        tree=findings.tree,
    )


def importances(values: np.ndarray, names: Sequence[str], *, of_rows: int) -> tuple[Importance, ...]:
    """Mean |SHAP value| of each feature with its standard error over rows, the most important first.

    The rows are drawn from `of_rows` without replacement, so that the error of all of them is none (Cochran, 1977,
    Sampling Techniques, section 2.6).

    Args:
        values: (rows, features, outputs).
        names: of the features.
        of_rows: how many rows there are.
    """
    strengths, rows = np.abs(values), len(values)
    means = strengths.mean(axis=0)
    left_out = max(0.0, 1 - rows / max(of_rows, 1))
    errors = strengths.std(axis=0, ddof=1) * np.sqrt(left_out / rows) if rows > 1 else np.zeros_like(means)
    order = sorted(range(len(names)), key=lambda place: (-means[place].sum(), names[place]))
    return tuple(
        Importance(feature=names[place], mean_absolute=_rounded(means[place]), standard_error=_rounded(errors[place]))
        for place in order[:MOST_IMPORTANCES]
    )


def _of_columns(values: np.ndarray, findings: Findings, of_rows: int) -> tuple[Importance, ...]:
    """The importances of the dataset's columns; none where each feature is a column, or nothing tells."""
    sources = [source or feature for source, feature in zip(findings.sources, findings.features, strict=True)]
    if not any(findings.sources) or sources == list(findings.features):
        return ()
    names = list(dict.fromkeys(sources))
    place = {name: number for number, name in enumerate(names)}
    sums = np.zeros((len(values), len(names), values.shape[2]))
    for feature, source in enumerate(sources):
        sums[:, place[source]] += values[:, feature]
    return importances(sums, names, of_rows=of_rows)


def _rounded(numbers: np.ndarray) -> tuple[float, ...]:
    return tuple(float(f"{number:.{DIGITS}g}") for number in numbers.tolist())
