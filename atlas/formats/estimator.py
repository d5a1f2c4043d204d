"""Any object with `predict`, as scikit-learn has made it the custom."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from atlas.formats import once
from atlas.formats.contract import Meaning, Model
from atlas.formats.once import ASK_ALL, Kind, Plan, Rule
from atlas.metrics import Needs, Predictions
from atlas.vocabulary import Label, Task

METHODS: Mapping[Kind, str] = {"scores": "decision_function", "probabilities": "predict_proba"}


class EstimatorModel(Model):
    """An estimator; what it can say besides its prediction is what methods it has.

    What follows from one method's answer is not asked of another. Whether it follows is found out on the first call
    with at least `once.FEWEST_ROWS` rows, and for good on the first with `once.ENOUGH_ROWS`; before, all is asked for.
    """

    def __init__(self, estimator: Any, meaning: Meaning) -> None:
        self._estimator = estimator
        self._meaning = meaning
        self._plans: dict[tuple[Kind, ...], Plan] = {}

    @property
    def estimator(self) -> Any:
        """The estimator itself."""
        return self._estimator

    def predict(self, features: Any, needs: Collection[Needs]) -> Predictions:
        """What `predict`, `decision_function` and `predict_proba` give, or would give; columns in the order of the
        manifest's classes."""
        wanted = self._wanted(needs)
        known = {kind: self._ask(kind, features) for kind in wanted[:1]}
        plan = self._plan(features, wanted, known)
        for kind in wanted[1:]:
            known[kind] = plan.link(known[wanted[0]]) if plan.link else self._ask(kind, features)
        return Predictions(
            labels=self._labels(features, plan.rule, known),
            scores=self._ordered(known.get("scores")),
            probabilities=self._ordered(known.get("probabilities")),
            classes=self._meaning.classes,
        )

    def _wanted(self, needs: Collection[Needs]) -> tuple[Kind, ...]:
        """What is needed and can be had; where there are no scores, probabilities stand in for them."""
        found: list[Kind] = ["scores"] if Needs.SCORES in needs and self._has("scores") else []
        stand_in = Needs.SCORES in needs and not found
        if (Needs.PROBABILITIES in needs or stand_in) and self._has("probabilities"):
            found.append("probabilities")
        return tuple(found)

    def _has(self, kind: Kind) -> bool:
        return hasattr(self._estimator, METHODS[kind])

    def _ask(self, kind: Kind, features: Any) -> np.ndarray:
        answer = getattr(self._estimator, METHODS[kind])(features)
        if isinstance(answer, list):  # a multilabel model of scikit-learn: one array a label
            known = getattr(self._estimator, "classes_", [(0,)] * len(answer))
            answer = np.column_stack([_of_label(*each) for each in zip(answer, known, strict=True)])
        return np.asarray(answer, dtype="f8")

    def _ask_labels(self, features: Any) -> np.ndarray:
        return np.asarray(self._estimator.predict(features))

    def _labels(self, features: Any, rule: Rule | None, known: Mapping[Kind, np.ndarray]) -> np.ndarray:
        """The labels, by the rule; of rows where it leaves a doubt, and if there is no rule, the estimator's own."""
        if rule is None:
            return self._ask_labels(features)
        labels = rule.labels(known[rule.kind])
        doubtful = np.flatnonzero(rule.doubtful(known[rule.kind]))
        if not len(doubtful):
            return labels
        own = self._ask_labels(once.take(features, doubtful))
        if own.dtype != labels.dtype:
            return self._ask_labels(features)
        labels[doubtful] = own
        return labels

    # What follows from what

    def _plan(self, features: Any, wanted: tuple[Kind, ...], known: Mapping[Kind, np.ndarray]) -> Plan:
        """The plan for what is wanted; it is kept once there were rows enough to tell it."""
        plan = self._plans.get(wanted, ASK_ALL)
        if not wanted or not self._meaning.task.is_classification or not once.can_take(features):
            return plan
        confidence = known[wanted[0]]
        if plan.is_better_sought_among(len(confidence)):
            plan = self._plans[wanted] = self._found_plan(features, wanted, confidence)
        return plan

    def _found_plan(self, features: Any, wanted: tuple[Kind, ...], confidence: np.ndarray) -> Plan:
        first, *others = wanted
        rule = self._rule(first)
        if not rule.fits(confidence):
            return Plan(rows=len(confidence))
        rows = once.telling_rows(rule.margin(confidence))
        sample = once.take(features, rows)
        known = {first: confidence[rows], **{kind: self._ask(kind, sample) for kind in others}}
        link = once.link_between(*known.values()) if others else None
        labels = self._ask_labels(sample)
        asked = wanted[:1] if link else wanted
        rules = (once.confirmed(self._rule(kind), known[kind], labels) for kind in asked)
        return Plan(rule=next(filter(None, rules), None), link=link, rows=len(confidence))

    def _rule(self, kind: Kind) -> Rule:
        """The rule that an estimator of scikit-learn would follow."""
        return Rule(kind=kind, classes=None if self._meaning.task is Task.MULTILABEL else self._classes)

    @cached_property
    def _classes(self) -> np.ndarray:
        """The estimator's own classes, or the manifest's if it names none."""
        own = getattr(self._estimator, "classes_", None)
        return np.asarray(self._meaning.classes if own is None or isinstance(own, list) else own)

    # Order of classes

    def _ordered(self, confidence: np.ndarray | None) -> np.ndarray | None:
        """Confidence in the order of the manifest's classes, where the estimator has the same ones in another."""
        if confidence is None or self._order is None:
            return confidence
        return -confidence if confidence.ndim == 1 else confidence[:, self._order]

    @cached_property
    def _order(self) -> list[int] | None:
        own, wanted = self._classes.tolist(), list(self._meaning.classes)
        if self._meaning.task is Task.MULTILABEL or own == wanted or set(own) != set(wanted):
            return None
        return [own.index(label) for label in wanted]


def _of_label(chances: np.ndarray, known: Sequence[Label]) -> np.ndarray:
    """The probability that events have a label; one that all or none had in training has a single column."""
    return chances[:, 1] if chances.shape[1] == 2 else chances[:, 0] * bool(known[0])
