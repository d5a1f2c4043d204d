"""A model's hyperparameters as boxes, one a step, and how they differ from those of the version before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from atlas.manifest import Manifest
from atlas.results import HyperparameterGroup
from atlas_web import words
from explainability.hyperparameters import OF_THE_AUTHOR, of_the_author
from storage import queries

Groups = Sequence[HyperparameterGroup]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A hyperparameter; `note` says how it differs from the version before, if it does."""

    name: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A step: the values that its author chose or changed, and beside them those that are defaults.

    `note` says how the step itself differs from the version before, if it does.
    """

    step: str
    estimator: str
    note: str
    values: list[Value]
    defaults: list[Value]

    @property
    def differences(self) -> int:
        """How much of it differs."""
        return bool(self.note) + sum(bool(value.note) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """All steps. `before` is the version that they are compared with, and `gone` the steps that it had beside."""

    boxes: list[Box]
    before: queries.ModelPage | None
    gone: list[str]

    @property
    def differences(self) -> str:
        """How many there are to the version before, in words."""
        number = len(self.gone) + sum(box.differences for box in self.boxes)
        return words.plural(number, "difference") if number else "no difference"


def parameters(page: queries.ModelPage | queries.BenchmarkPage) -> Parameters:
    """What a benchmark found, else what the author wrote into the manifest, beside the same of the version before."""
    groups = _groups(page.hyperparameters, page.manifest)
    earlier = _like(page, page.previous) if groups and page.previous else []
    known = {group.step: group for group in earlier}
    steps = {group.step for group in groups}
    return Parameters(
        boxes=[_box(group, known.get(group.step), is_compared=bool(earlier)) for group in groups],
        before=page.previous if earlier else None,
        gone=[group.step or group.estimator for group in earlier if group.step not in steps],
    )


def _like(page: queries.ModelPage | queries.BenchmarkPage, earlier: queries.ModelPage) -> Groups:
    """The earlier version's, from the source that the page's are from: another writes them in its own way."""
    return earlier.hyperparameters if page.hyperparameters else _groups([], earlier.manifest)


def _groups(found: Groups, manifest: Manifest | None) -> Groups:
    said = manifest.hyperparameters if manifest else {}
    return found if found or not said else [of_the_author(said)]


def _box(group: HyperparameterGroup, earlier: HyperparameterGroup | None, *, is_compared: bool) -> Box:
    is_same_kind = earlier is not None and earlier.estimator == group.estimator
    notes = _notes(group.values, earlier.values) if earlier and is_same_kind else {}
    chosen = group.values if group.chosen is None else group.chosen
    listed = [Value(name=name, text=text, note=notes.get(name, "")) for name, text in sorted(group.values.items())]
    gone = [Value(name=name, text="", note=note) for name, note in sorted(notes.items()) if name not in group.values]
    return Box(
        step=group.step,
        estimator=group.estimator,
        note=_note(group, earlier) if is_compared and not is_same_kind else "",
        values=[*(value for value in listed if value.note or value.name in chosen), *gone],
        defaults=[value for value in listed if not value.note and value.name not in chosen],
    )


def _note(group: HyperparameterGroup, earlier: HyperparameterGroup | None) -> str:
    """How a step differs; what the author says of one that the version before had said nothing of is no difference."""
    if earlier is not None:
        return f"was {earlier.estimator}"
    return "" if group.estimator == OF_THE_AUTHOR else "new step"


def _notes(now: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """How each value differs that does, by name."""
    return dict(_differences(now, before))


def _differences(now: Mapping[str, str], before: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in now.keys() | before.keys():
        if name not in before:
            yield name, "new"
        elif name not in now:
            yield name, f"gone, was {before[name]}"
        elif now[name] != before[name]:
            yield name, f"was {before[name]}"
