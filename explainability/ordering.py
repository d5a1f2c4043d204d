"""Outputs of a model in the order of its manifest, which may be another than the model's own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from explainability.attribution import Attribution, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What makes the model's own outputs those of the manifest: places, and for the other one of two classes, a sign.

    Attributes:
        names: of the outputs then.
        places: where each of them is among the model's.
        sign: -1 where an output speaks of the other class.
        shift: what is added to the model's answers.
    """

    names: tuple[str, ...]
    places: tuple[int, ...]
    sign: int = 1
    shift: int = 0

    def of_values(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(values[..., self.places] * self.sign)

    def of_answers(self, answers: np.ndarray) -> np.ndarray:
        return self.of_values(answers) + self.shift


def in_order(attribution: Attribution, subject: Subject) -> Attribution:
    """The attribution with named outputs: the classes in the manifest's order, or the last of two classes."""
    names = attribution.outputs or subject.output_names(len(attribution.base_values))
    turn = _turn(names, tuple(map(str, subject.classes)), attribution)
    answer = attribution.answer
    return replace(
        attribution,
        outputs=turn.names,
        values=turn.of_values(attribution.values),
        base_values=turn.of_answers(attribution.base_values),
        answers=turn.of_answers(attribution.answers),
        answer=answer and (lambda rows: turn.of_answers(answer(rows))),
    )


def _turn(names: Sequence[str], classes: tuple[str, ...], attribution: Attribution) -> _Turn:
    if len(classes) == len(names) and set(classes) == set(names):
        return _Turn(names=classes, places=tuple(names.index(name) for name in classes))
    if len(classes) == 2 and tuple(names) == classes[:1]:
        adds_up = attribution.output in {"probability", "vote"}
        return _Turn(names=classes[1:], places=(0,), sign=-1, shift=1 if adds_up else 0)
    return _Turn(names=tuple(names), places=tuple(range(len(names))))
