"""What stands beside SHAP values, of the same function: effects of features, a readable tree, a second opinion."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from explainability.attribution import Answer
from explainability.effects import effects
from explainability.explained import Findings
from explainability.local import local_opinions
from explainability.surrogates import surrogate_tree

OPINIONS = 40
"""So many events, the first ones, have a second opinion."""
TRIED = 5
"""On so many rows is seen whether a function is the one that is explained."""
LEAST_DIGITS = 1e-3
"""So far may its answers be from those, relative to the largest: boosters add up in single precision."""

_log = logging.getLogger(__name__)

Found = TypeVar("Found")


def with_approximations(
    findings: Findings,
    *,
    rows: np.ndarray,
    answer: Answer | None,
    background: Callable[[], np.ndarray],
    deadline: float,
    seed: int = 0,
) -> Findings:
    """The findings with a tree, and with effects and second opinions as far as there is time for them.

    Each is left out where the model raises something. Effects and opinions are left out where the function is not what
    the SHAP values are of. None of that costs anything else. Features that are no numbers have neither.

    Args:
        findings: SHAP values.
        rows: (n, features) of the findings as the function takes them: double precision, and where a feature is no
            number, what the function knows its value by.
        answer: the function; None if nobody knows it.
        background: gives (rows, features) that stand for "feature unknown".
        deadline: by `time.monotonic`.
        seed: of the random numbers.
    """
    names = findings.features
    tree = _tried(lambda: surrogate_tree(findings.rows, findings.answers, names=names, seed=seed))
    findings = replace(findings, tree=tree)
    are_numbers = np.isfinite(findings.rows).any(axis=0)
    if answer is None or not are_numbers.any() or not _tried(lambda: _is_explained(answer, findings, rows, deadline)):
        return findings
    strengths = np.where(are_numbers, np.abs(findings.values).mean(axis=(0, 2)), 0)
    half = (time.monotonic() + deadline) / 2
    drawn = _tried(lambda: effects(answer, rows, names=names, strengths=strengths, deadline=half))
    local = _tried(lambda: local_opinions(answer, rows, background(), events=OPINIONS, deadline=deadline, seed=seed))
    return replace(findings, effects=drawn or (), local=local)


def _tried(find: Callable[[], Found]) -> Found | None:
    try:
        return find()
    except Exception:  # noqa: BLE001 - process boundary: the model's code may raise anything
        _log.warning("The model cannot be asked for more than its SHAP values", exc_info=True)
        return None


def _is_explained(answer: Answer, findings: Findings, rows: np.ndarray, deadline: float) -> bool:
    """Whether there is time to ask, and the answers are those that base and values add up to."""
    if time.monotonic() >= deadline:
        return False
    explained = findings.answers
    apart = np.abs(answer(rows[:TRIED]) - explained[:TRIED]).max()
    return bool(apart <= LEAST_DIGITS * np.abs(explained).max())
