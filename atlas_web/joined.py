"""The predictions of two benchmarks, event by event. No Django."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atlas.errors import AtlasError
from atlas.metrics import Predictions
from atlas.paired import Answers
from atlas.predictions import StoredAnswers


class CannotBePairedError(AtlasError):
    """Two benchmarks did not answer the same events."""


def aligned(reference: StoredAnswers, other: StoredAnswers) -> tuple[Answers, Answers]:
    """The answers of both to the events that both answered, in the reference's order.

    Raises:
        CannotBePairedError: there are none, ids are not unique, or both believe in another truth.
    """
    one, two = reference.answers, other.answers
    if not reference.ids.equals(other.ids):
        mine, theirs = _shared(reference.ids, other.ids)
        one, two = _part(one, mine), _part(two, theirs)
    if not np.array_equal(one.truth, two.truth):
        raise CannotBePairedError("The truth of the events is not the same in both.")
    return one, two


def _shared(ids: pa.Array, others: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The places of the ids that both have, in the order of the first."""
    if any(pc.count_distinct(each).as_py() < len(each) for each in (ids, others)):
        raise CannotBePairedError("Several events have the same id.")
    places = pc.index_in(ids, value_set=others)
    mine = np.flatnonzero(places.is_valid().to_numpy(zero_copy_only=False))
    if not len(mine):
        raise CannotBePairedError("They have no event in common.")
    return mine, places.drop_null().to_numpy()


def _part(answers: Answers, places: np.ndarray) -> Answers:
    given = answers.predictions
    predictions = Predictions(
        labels=given.labels[places],
        scores=None if given.scores is None else given.scores[places],
        probabilities=None if given.probabilities is None else given.probabilities[places],
        classes=given.classes,
    )
    return replace(answers, truth=answers.truth[places], predictions=predictions)
