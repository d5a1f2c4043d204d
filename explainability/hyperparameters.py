"""Hyperparameters of any estimator, step by step, as short text. Never raises, whatever the model's code does."""

import inspect
import json
import re
import reprlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from atlas.formats import Model
from atlas.results import HyperparameterGroup

OF_THE_AUTHOR = "as its author says"
"""What stands in the place of an estimator's class where values are from the manifest."""

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
    raises, or goes on without an end, is left out or cut. Defaults are those of the constructor's signature, or what a
    model of a format says itself.
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


def with_the_author_s(
    found: tuple[HyperparameterGroup, ...], said: Mapping[str, JsonValue]
) -> tuple[HyperparameterGroup, ...]:
    """The groups of a model, and beside them what its manifest says where its file does not tell what was chosen."""
    is_told = any(group.chosen is not None for group in found)
    return found if is_told or not said else (*found, of_the_author(said))


def of_the_author(said: Mapping[str, JsonValue]) -> HyperparameterGroup:
    """The hyperparameters of a manifest, as a group."""
    first = list(said.items())[:MAX_VALUES]
    values = {_cut(name): _cut(value if isinstance(value, str) else json.dumps(value)) for name, value in first}
    return HyperparameterGroup(step="model", estimator=OF_THE_AUTHOR, values=values)


def _read(step: _Step) -> tuple[HyperparameterGroup, list[_Step]]:
    parameters = _parameters(step.estimator)
    values = {_cut(str(name)): _text(value) for name, value in parameters.items()}
    group = HyperparameterGroup(
        step=step.path,
        estimator=_cut(type(step.estimator).__name__),
        values=values,
        chosen=_chosen(step.estimator, values),
    )
    inner = [step.child(name, estimator) for name, estimator in _inner(parameters)]
    too_deep = len(step.ancestors) >= MAX_DEPTH
    return group, [] if too_deep else [child for child in inner if not child.is_its_own_ancestor]


def _parameters(estimator: Any) -> Mapping[str, Any]:
    parameters = dict(list(estimator.get_params(deep=False).items())[:MAX_VALUES])
    chosen = getattr(estimator, "best_estimator_", None)
    return parameters | {"estimator": chosen} if _is_estimator(chosen) else parameters


def _chosen(estimator: Any, values: Mapping[str, str]) -> tuple[str, ...] | None:
    """The names of values that are not the defaults; None where nobody knows the defaults."""
    if isinstance(estimator, Model):
        return _chosen_of_a_format(estimator, values)
    defaults = _defaults(type(estimator))
    if values and not defaults.keys() & values.keys():
        return None
    return tuple(name for name, text in values.items() if defaults.get(name) != text)


def _chosen_of_a_format(model: Model, values: Mapping[str, str]) -> tuple[str, ...] | None:
    try:
        chosen = model.chosen_params()
    except Exception:  # noqa: BLE001 - the model's library may raise anything, and the values stay true
        return None
    return None if chosen is None else tuple(name for name in values if name in chosen)


def _defaults(kind: type) -> dict[str, str | None]:
    """What the constructors of a class and its ancestors take, by name, with the text of the default if there is one.

    Ancestors are asked too, since a constructor may pass on what it does not name. `object` is not: it takes nothing by
    name, and to say so, `inspect` copies the table of all modules, which in a forked process copies the pages of each.
    """
    found: dict[str, str | None] = {}
    ancestors = (vars(each) for each in reversed(kind.__mro__) if each is not object)
    for constructor in (names["__init__"] for names in ancestors if "__init__" in names):
        for parameter in _signature(constructor):
            found[parameter.name] = None if parameter.default is parameter.empty else _text(parameter.default)
    return found


def _signature(constructor: Any) -> Collection[inspect.Parameter]:
    try:
        parameters = inspect.signature(constructor).parameters.values()
    except Exception:  # noqa: BLE001 - one of C has none, and that of the model's own class may raise anything
        return ()
    return [each for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]


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
