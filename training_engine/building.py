"""From a configuration to objects of scikit-learn that are not fitted yet."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from training_engine.components import Estimator, Step, built

MODEL = "model"
CHOSEN = "chosen"
OF_A_STEP = re.compile(r"pipeline\[(\d+)\]\.(.+)")


def build(steps: tuple[Step, ...], model: Estimator, seed: int) -> Pipeline:
    """Preprocessing and the model as one, with the seed wherever one is taken and the configuration gives none.

    Where a step is for some columns, all steps hand on data frames: later ones then find columns by name.
    """
    named = [(f"step{number}", _transformer(step)) for number, step in enumerate(steps)]
    whole = Pipeline([*named, (MODEL, model.build())])
    if any(step.columns for step in steps):
        whole[:-1].set_output(transform="pandas")
    return seeded(whole, seed)


def _transformer(step: Step) -> Any:
    transformer = step.build()
    if step.columns is None:
        return transformer
    return ColumnTransformer(
        [(CHOSEN, transformer, list(step.columns))], remainder="passthrough", verbose_feature_names_out=False
    )


def seeded(estimator: Any, seed: int) -> Any:
    """The estimator, with the seed wherever it takes one and has none."""
    parameters = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    unset = [key for key, value in parameters.items() if key.endswith("random_state") and value is None]
    return estimator.set_params(**dict.fromkeys(unset, seed)) if unset else estimator


def address(steps: tuple[Step, ...], key: str) -> str:
    """What scikit-learn calls a parameter: `pipeline[0].strategy` of a step, `C` or `estimator.max_depth` of the model.

    Raises:
        ValueError: there is no such step.
    """
    found = OF_A_STEP.fullmatch(key)
    if found is None:
        return f"{MODEL}__{key.replace('.', '__')}"
    number, name = int(found[1]), found[2].replace(".", "__")
    if number >= len(steps):
        raise ValueError(f"there is no pipeline[{number}]; the pipeline has {len(steps)} steps, counted from 0")
    return f"step{number}__{CHOSEN}__{name}" if steps[number].columns else f"step{number}__{name}"


def with_parameters(whole: Pipeline, steps: tuple[Step, ...], parameters: Mapping[str, JsonValue], seed: int) -> Any:
    """The same with these parameters, named as in the configuration; components among them are built and seeded."""
    chosen = {address(steps, key): built(value) for key, value in parameters.items()}
    return seeded(whole.set_params(**chosen), seed) if chosen else whole
