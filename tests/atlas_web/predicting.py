"""Predictions that a person asked for, with their files, as the engine leaves them."""

from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from atlas.access import Via
from atlas.inference import Inferred, OutOfRange
from atlas.results import Failure
from atlas.states import FailureClass
from explainability.explained import Explained
from storage import records
from storage.records import InferenceClaim, Wanted
from tests import stage
from tests.atlas_web.explaining import add_model, dataset_rows, document, events, parquet_file, put, values_file
from tests.samples import NOON

MORE = 60
"""So many rows are predicted and not explained."""
WARNING = "The version that it was trained on is not known here; values are compared with those of impacts v1."
OUTSIDE = "speed"


def ask(model: int | None = None, **wanted: Any) -> int:
    """Predictions that wait for an engine."""
    model = model or stage.add_model()
    return records.ask_inference(model, Wanted(**wanted), by="ilse", via=Via.PAGE, now=NOON)


def claim(inference: int) -> InferenceClaim:
    """The claim of an engine that takes them."""
    held = records.claim_inference(inference, engine="one", lease=timedelta(seconds=30), now=timezone.now())
    assert held is not None
    return held


def predict(of: Explained | None = None) -> int:
    """Predictions of events of a version: the explained ones and `MORE`; the second has a value that is new."""
    of = of or events(20)
    asked = ask(add_model(of, "Forest-1.0.0-1"), version=stage.add_version(), most=20 + MORE)
    complete(asked, of)
    return asked


def complete(inference: int, of: Explained | None = None) -> None:
    """Do what an engine does: claim predictions, keep their files, and store what is said of them."""
    of = of or events(20)
    held = claim(inference)
    folder = f"inferences/{held.token}"
    files = {"predictions.parquet": _predictions(of), "explained.arrow": values_file(of)}
    for name, content in {**files, "events.parquet": dataset_rows(of)}.items():
        put(f"{folder}/{name}", content)
    outside = OutOfRange(column=OUTSIDE, known="10 to 60", rows=1, examples=("900",), events=(str(of.ids[1]),))
    explanation = document(of, values_key="", events_key="", picked_rows=0).model_copy(
        update={"rows": len(of), "of_rows": len(of) + MORE}
    )
    records.finish_inference(
        held,
        Inferred(rows=len(of) + MORE, explanation=explanation, out_of_range=(outside,), warnings=(WARNING,)),
        predictions_key=f"{folder}/predictions.parquet",
        values_key=f"{folder}/explained.arrow",
        events_key=f"{folder}/events.parquet",
        now=timezone.now(),
    )


def fail(inference: int) -> None:
    """Do what an engine does with rows that do not fit."""
    failure = Failure(failure_class=FailureClass.SCHEMA_MISMATCH, reason="Column rms is missing.")
    records.fail_inference(claim(inference), failure, now=timezone.now())


def _predictions(of: Explained) -> bytes:
    number = len(of) + MORE
    ids = [*of.ids, *(f"other-{place}" for place in range(MORE))]
    predicted = [*of.predicted, *[of.predicted[0]] * MORE]
    sure = np.array([*of.confidence, *np.full(MORE, 0.99)], dtype=float)
    names = sorted(set(of.truth) | set(of.predicted))
    rest = (1 - sure) / max(len(names) - 1, 1)
    chances = {f"probability {name}": np.where(np.array(predicted) == name, sure, rest) for name in names}
    split = np.where(np.arange(number) % 3 == 0, "evaluation", "training")
    truth = [*of.truth, *[None] * MORE]
    return parquet_file({"id": ids, "split": split, "truth": truth, "prediction": predicted, **chances})
