"""What a format is, and what a model of any format is once it is loaded."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from atlas.metrics import Needs, Predictions
from atlas.vocabulary import Label, Outputs, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a manifest says of a model that the model's file may not say.

    Attributes:
        task: what it predicts.
        classes: what it can predict, in the order of its probabilities; empty for a regression.
        outputs: what the numbers mean that it gives; None where the file says so.
    """

    task: Task
    classes: tuple[Label, ...] = ()
    outputs: Outputs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """How a model shares its answers out among the features: SHAP values, computed by the model's own library.

    Attributes:
        method: how they were computed, in a few words for people.
        values: (rows, features, outputs).
        base_values: (outputs,) what the model gives before any feature is known.
        answers: (rows, outputs) what the values of a row and the base values add up to: margins of a classifier, values
            of a regressor or what becomes them by the model's link function.
    """

    method: str
    values: np.ndarray
    base_values: np.ndarray
    answers: np.ndarray


class Model(ABC):
    """A model that is ready to predict, whatever it is made with."""

    @abstractmethod
    def predict(self, features: Any, needs: Collection[Needs]) -> Predictions:
        """Labels or values for rows of features, and of scores and probabilities what is needed and can be had.

        One model is asked many times: about all rows in parts, or about single ones. What it learns of itself on one
        call, it may use on the next.

        Raises:
            Exception: whatever the model's own code raises.
        """

    @property
    def estimator(self) -> Any:
        """What is explained, and whose hyperparameters are shown: anything that has `get_params`."""
        return self

    def get_params(self, deep: bool = False) -> Mapping[str, Any]:  # noqa: ARG002 - the signature is scikit-learn's
        """Hyperparameters by name."""
        return {}

    def chosen_params(self) -> Collection[str] | None:
        """The names of hyperparameters that are not the library's defaults; None where the file does not tell."""
        return None

    def attribution(self, features: Any) -> Attribution | None:  # noqa: ARG002 - for those that can
        """SHAP values of rows of features, if the model's own library computes them."""
        return None

    def margins(self, features: Any) -> np.ndarray | None:  # noqa: ARG002 - for those that can
        """What the SHAP values of `attribution` add up to, (rows, outputs), without computing them."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write a fitted object.

    Attributes:
        name: as it stands in the manifest.
        suffixes: that files of this format end in; the first is the one that `atlas.pack` writes.
        package: the Python package that loads it.
        libraries: the distributions whose versions a manifest records, the model's own first.
        requirement: what to give `pip install` where the package is missing.
        dump: writes an object to a path.
        load: reads it back, given the names of the modules in the bundle's `code/` folder.
        adapt: makes a model that can predict of what `load` gave.
        takes_transformers: whether it can hold the pipeline of a bundle too.
    """

    name: str
    suffixes: tuple[str, ...]
    package: str
    libraries: tuple[str, ...]
    requirement: str
    dump: Callable[[Any, Path], None]
    load: Callable[[Path, frozenset[str]], Any]
    adapt: Callable[[Any, Meaning], Model]
    takes_transformers: bool = False

    @property
    def suffix(self) -> str:
        """The suffix that `atlas.pack` writes."""
        return self.suffixes[0]
