"""The child's explanation. It comes after the predictions, and whatever goes wrong in it is a reason, not a failure."""

import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

from atlas.results import MOST_NAME
from benchmark_engine.sandbox.protocol import (
    CHOSEN,
    EFFECTS,
    EXPLAINED_ROWS,
    EXPLANATION,
    LOCAL,
    SHAP_VALUES,
    SINGLE,
    ChosenRows,
    EffectAnswer,
    ExplainAnswer,
    read_document,
    write_array,
    write_document,
)
from explainability.explained import Findings

WAIT_SECONDS = 30.0
"""How long the engine may take to read the predictions and choose rows; one that is stopped ends the child itself."""
LOOK_SECONDS = 0.005

Keep = Callable[[Findings], None]
Find = Callable[[tuple[int, ...], Keep], Findings]
"""Explains rows, as many of them as there is time for. Has the findings kept as soon as there are SHAP values: a model
may do anything when it is asked for more."""


def explained(find: Find, inputs: Path, folder: Path) -> ExplainAnswer:
    """Wait for the rows that the engine chooses, explain them, and write the numbers into a folder.

    SHAP values are written with a document of their own before all else is computed. What is returned says more.

    Args:
        find: explains them.
        inputs: where the engine says which.
        folder: where the numbers are written.
    """
    try:
        rows = _chosen(inputs)
        began = time.monotonic()

        def keep(findings: Findings) -> None:
            answer = _written(findings, folder, seconds=time.monotonic() - began)
            write_document(answer, folder / EXPLANATION)

        return _written(find(rows, keep), folder, seconds=time.monotonic() - began)
    except Exception as error:  # noqa: BLE001 - process boundary: the model's code may raise anything
        return ExplainAnswer(impossible=reason_of(error))


def reason_of(error: Exception) -> str:
    """Why there is no explanation: in the words of who refused, or those of an error that nobody expected."""
    from explainability.attribution import ImpossibleError

    if isinstance(error, ImpossibleError):
        return str(error)[:2_000]
    traceback.print_exc()
    return f"The explanation failed: {type(error).__name__}: {error}"[:1_000]


def _chosen(inputs: Path) -> tuple[int, ...]:
    path, deadline = inputs / CHOSEN, time.monotonic() + WAIT_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("The engine did not say which rows to explain.")
        time.sleep(LOOK_SECONDS)
    return read_document(ChosenRows, path).rows


def _written(findings: Findings, folder: Path, *, seconds: float) -> ExplainAnswer:
    if not (folder / EXPLANATION).exists():  # a reader may be told of them already
        write_array(findings.rows, folder / EXPLAINED_ROWS, SINGLE)
        write_array(findings.values, folder / SHAP_VALUES, SINGLE)
    if findings.local is not None:
        write_array(findings.local, folder / LOCAL, SINGLE)
    if findings.effects:
        write_array(np.concatenate([effect.lines.ravel() for effect in findings.effects]), folder / EFFECTS, SINGLE)
    return ExplainAnswer(
        method=findings.method,
        output=findings.output,
        outputs=_named(findings.outputs),
        base_values=tuple(findings.base_values.tolist()),
        features=_named(findings.features),
        sources=_named(findings.sources),
        rows=len(findings.rows),
        local_rows=0 if findings.local is None else len(findings.local),
        value_error=findings.value_error,
        gap=findings.gap,
        background=findings.background,
        background_rows=findings.background_rows,
        effects=tuple(
            EffectAnswer(feature=effect.feature[:MOST_NAME], grid=tuple(effect.grid.tolist()), lines=len(effect.lines))
            for effect in findings.effects
        ),
        tree=findings.tree,
        seconds=seconds,
    )


def _named(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name[:MOST_NAME] for name in names)
