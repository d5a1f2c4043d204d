"""Hyperparameters of any estimator, step by step, as short text. Never raises, whatever the model's code does."""

import re
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from atlas.results import HyperparameterGroup

MAX_GROUPS = 100
MAX_VALUES = 200
MAX_TEXT = 200
MAX_DEPTH = 10

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True, slots=True)
class _Step:
    path: str
    estimator: Any
    ancestors: tuple[Any, ...] = ()

    @property
    def is_its_own_ancestor(self) -> bool:
        """Identity, since an estimator's own `==` may do anything."""
        return any(ancestor is self.estimator for ancestor in self.ancestors)

    def child(self, name: object, estimator: Any) -> "_Step":
        path = f"{self.path}.{name}" if self.path else str(name)
        return _Step(path[:MAX_TEXT], estimator, (*self.ancestors, self.estimator))


def hyperparameters(model: Any) -> tuple[HyperparameterGroup, ...]:
    """The hyperparameters of a model and of every estimator inside it, outer before inner.

    A group's step is the path of names that leads to the estimator, such as `prepare.numbers.scale`, and empty for the
    model itself. A search is shown with the estimator that it chose. What has no `get_params` has no groups; what
    raises, or goes on without an end, is left out or cut.
    """
    groups: list[HyperparameterGroup] = []
    waiting = [_Step("", model)]
    while waiting and len(groups) < MAX_GROUPS:
        step = waiting.pop(0)
        try:
            group, inner = _read(step)
        except Exception:  # noqa: BLE001, S112 - the model's code may raise anything, which must cost nothing else
            continue
        groups.append(group)
        waiting[:0] = inner
    return tuple(groups)


def _read(step: _Step) -> tuple[HyperparameterGroup, list[_Step]]:
    parameters = _parameters(step.estimator)
    values = {_cut(str(name)): _text(value) for name, value in parameters.items()}
    group = HyperparameterGroup(step=step.path, estimator=_cut(type(step.estimator).__name__), values=values)
    inner = [step.child(name, estimator) for name, estimator in _inner(parameters)]
    too_deep = len(step.ancestors) >= MAX_DEPTH
    return group, [] if too_deep else [child for child in inner if not child.is_its_own_ancestor]


def _parameters(estimator: Any) -> Mapping[str, Any]:
    parameters = dict(list(estimator.get_params(deep=False).items())[:MAX_VALUES])
    chosen = getattr(estimator, "best_estimator_", None)
    return parameters | {"estimator": chosen} if _is_estimator(chosen) else parameters


def _inner(parameters: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Estimators among the parameters: as a value, or named in a list such as a pipeline's `steps`."""
    for name, value in parameters.items():
        if _is_estimator(value):
            yield name, value
        elif isinstance(value, list):
            yield from ((entry[0], entry[1]) for entry in value[:MAX_GROUPS] if _is_named_estimator(entry))


def _is_named_estimator(entry: Any) -> bool:
    return isinstance(entry, tuple) and len(entry) > 1 and _is_estimator(entry[1])


def _is_estimator(value: Any) -> bool:
    return not isinstance(value, type) and callable(getattr(value, "get_params", None))


class _Representation(reprlib.Repr):
    """Short text of any value: bounded, and the same in every process."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = 20
        self.maxstring = self.maxother = MAX_TEXT
        self.maxlevel = 4

    def repr1(self, x: Any, level: int) -> str:
        if _is_estimator(x):
            return type(x).__name__
        if callable(x) and hasattr(x, "__name__"):
            return str(x.__name__)
        return super().repr1(x, level)


_REPRESENTATION = _Representation()


def _text(value: Any) -> str:
    try:
        return _cut(ADDRESS.sub("", _REPRESENTATION.repr(value)))
    except Exception:  # noqa: BLE001 - a value of the model's own class may raise anything
        return f"<{type(value).__name__}>"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"
