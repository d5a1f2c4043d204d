"""Why a model predicts as it does: SHAP values of the features that it gets, for some rows of a dataset."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd

from atlas.formats import Model
from atlas.vocabulary import Label, Task
from explainability.answers import answer_of
from explainability.approximations import with_approximations
from explainability.attribution import (
    FEWEST_ROWS,
    Attribution,
    Explainer,
    ImpossibleError,
    Subject,
    as_it_is,
)
from explainability.chain import Chain, chain_of
from explainability.explained import Findings
from explainability.ordering import in_order
from explainability.permutation import BACKGROUND_ROWS, PERMUTATION
from explainability.registry import explainers
from explainability.sources import sources
from explainability.tables import Table

SHARE_OF_VALUES = 0.7
"""So much of the time SHAP values may take; the rest is for what stands beside them."""
MAX_VALUES = 5_000_000
"""How many SHAP values are held at once: rows are left out where features and classes are many."""


def explain(
    model: Model,
    pipeline: Any,
    rows: pd.DataFrame,
    *,
    background: pd.DataFrame,
    background_kind: Literal["reference", "data"],
    task: Task,
    classes: Sequence[Label],
    target: str,
    seconds: float,
    seed: int = 0,
    keep: Callable[[Findings], None] | None = None,
) -> Findings:
    """SHAP values of a model's features for the first rows, as many as there is time for, and what stands beside them.

    They are of the features that the model itself gets: after the bundle's pipeline, and after all steps but the last
    of a pipeline of scikit-learn's. Where these are no table, or too many, they are of the raw columns.

    Args:
        model: as a format adapts it.
        pipeline: of the bundle; None if it has none.
        rows: raw rows of the dataset, in random order, so that the first ones are a fair sample.
        background: raw rows that stand for "feature unknown".
        background_kind: where these are from.
        task: what the model predicts.
        classes: what it can predict, in the manifest's order; empty for a regression.
        target: the name of what a regression predicts.
        seconds: how long it may take.
        seed: of the random numbers.
        keep: is given the findings as soon as there are SHAP values, before the model is asked for more.

    Raises:
        ImpossibleError: the model cannot be explained; the message says why.
        Exception: whatever the model's own code raises.
    """
    started = time.monotonic()
    case = _Case(
        chain=chain_of(model, pipeline),
        rows=rows,
        background=_like(rows, background),
        background_kind=background_kind,
        task=task,
        classes=tuple(classes),
        target=target,
        deadline=started + SHARE_OF_VALUES * seconds,
        end=started + seconds,
        seed=seed,
    )
    first: Exception | None = None
    for subject, explainer in _ways(case):
        try:
            attribution = _attribution(explainer, subject)
            findings = _findings(attribution, subject, case)
        except Exception as error:  # noqa: BLE001 - explainers and models are other people's: the next may do better
            first = first or error
        else:
            if keep is not None:
                keep(findings)
            return _approximated(findings, attribution, subject, case)
    raise first or ImpossibleError("The model has no `predict` and nothing else that says how it works.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What `explain` is asked."""

    chain: Chain
    rows: pd.DataFrame
    background: pd.DataFrame
    background_kind: Literal["reference", "data"]
    task: Task
    classes: tuple[Label, ...]
    target: str
    deadline: float
    """Until when SHAP values are computed, and `end`, until when all else."""
    end: float
    seed: int


def _ways(case: _Case) -> Iterator[tuple[Subject, Explainer]]:
    """What can be tried: all explainers on the model's own features, and then the last one on the raw columns."""
    subject = _own_features(case)
    if subject is not None:
        for explainer in explainers(case.chain.estimator):
            if subject.rows.is_numeric or not explainer.needs_numbers:
                yield subject, explainer
    if case.chain.steps and PERMUTATION.accepts(case.chain.estimator):
        yield _raw_columns(case), PERMUTATION


def _own_features(case: _Case) -> Subject | None:
    """The estimator on what it gets; None if that is no table, or has more columns than there is memory for."""
    table = case.chain.features(_raw(case.rows))
    if not table.is_table:
        return None
    rows = MAX_VALUES // (len(table.names) * max(1, len(case.classes)))
    if rows < min(len(table), FEWEST_ROWS):
        return None
    kept = table.take(slice(rows))

    @cache
    def background() -> Table:
        return case.chain.features(_raw(case.background))

    return _subject(case, kept, background)


def _raw_columns(case: _Case) -> Subject:
    """The whole chain on rows of the dataset."""
    subject = _subject(case, _raw(case.rows), lambda: _raw(case.background))
    return replace(subject, prepare=case.chain.transform)


def _like(rows: pd.DataFrame, background: pd.DataFrame) -> pd.DataFrame:
    """The background with the columns of the rows, of the same types where it has only such values."""
    columns = {name: background[name] for name in rows.columns if name in background.columns}
    return pd.DataFrame({name: _cast(column, rows[name].dtype) for name, column in columns.items()})


def _cast(column: pd.Series, dtype: Any) -> pd.Series:
    try:
        return column.astype(dtype)
    except (TypeError, ValueError):  # such as a missing value among whole numbers
        return column


def _raw(rows: pd.DataFrame) -> Table:
    return Table(rows, tuple(map(str, rows.columns)))


def _subject(case: _Case, table: Table, background: Callable[[], Table]) -> Subject:
    return Subject(
        estimator=case.chain.estimator,
        features=table.numbers(),
        background_mean=lambda: background().mean(),
        names=table.names,
        task=case.task,
        classes=case.classes,
        target=case.target,
        table=table,
        background=background,
        deadline=case.deadline,
        seed=case.seed,
    )


# What comes of it


def _attribution(explainer: Explainer, subject: Subject) -> Attribution:
    attribution = _checked(explainer.attribute(subject))
    return in_order(replace(attribution, answer=answer_of(subject, attribution)), subject)


def _approximated(findings: Findings, attribution: Attribution, subject: Subject, case: _Case) -> Findings:
    return with_approximations(
        findings,
        rows=subject.rows.asked()[: len(attribution.values)],
        answer=attribution.answer,
        background=lambda: subject.others.sample(BACKGROUND_ROWS, case.seed).numbers(),
        deadline=case.end,
        seed=case.seed,
    )


def _checked(attribution: Attribution) -> Attribution:
    """The attribution, if it is what SHAP promises: base value and values of a row add up to the model's answer."""
    values, answers = attribution.values, attribution.answers
    if not np.isfinite(values).all():
        raise ImpossibleError("The SHAP values of the model are not finite numbers.")
    if len(attribution.base_values) != answers.shape[1]:
        told = len(attribution.base_values)
        raise ImpossibleError(f"The model has {answers.shape[1]} outputs, but its parts explain {told}.")
    gap = _gap(attribution)
    if not gap <= attribution.tolerance:
        raise ImpossibleError(f"The SHAP values miss the model's answers by {gap:.3g}, so they cannot be trusted.")
    return attribution


def _gap(attribution: Attribution) -> float:
    """By how much base and values miss an answer at most, relative to their size."""
    values, answers = attribution.values, attribution.answers
    missed = np.abs(attribution.base_values + values.sum(axis=1) - answers).max(initial=0.0)
    size = np.abs(values).sum(axis=1).max(initial=0.0) + np.abs(answers).max(initial=0.0)
    return float(missed / size) if missed else 0.0


def _findings(attribution: Attribution, subject: Subject, case: _Case) -> Findings:
    rows = len(attribution.values)
    return Findings(
        method=attribution.method,
        output=attribution.output,
        outputs=attribution.outputs,
        base_values=attribution.base_values,
        features=subject.names,
        sources=_sources(subject, case),
        rows=subject.features[:rows].astype(np.float32),
        values=attribution.values.astype(np.float32),
        value_error=attribution.value_error,
        gap=_gap(attribution),
        background=case.background_kind if attribution.background_rows else "model",
        background_rows=attribution.background_rows,
    )


def _sources(subject: Subject, case: _Case) -> tuple[str, ...]:
    if not case.chain.steps or subject.prepare is not as_it_is:
        return subject.names
    try:
        return sources(lambda rows: case.chain.features(_raw(rows)), case.rows)
    except Exception:  # noqa: BLE001 - process boundary: a pipeline that fails on exchanged values is no less explained
        return ("",) * len(subject.names)
