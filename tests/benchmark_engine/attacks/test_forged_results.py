"""A child that writes its answer itself gains nothing: what it says is checked, and what counts is measured outside."""

from collections.abc import Callable
from pathlib import Path

import pytest

from atlas.bundle import REFERENCE
from atlas.states import FailureClass
from tests.benchmark_engine.attacks.conftest import INTACT, Canary, Range
from tests.benchmark_engine.conftest import as_parquet, impacts
from tests.bundles import smuggle

pytestmark = pytest.mark.system

LABELS = "np.ones({rows}).tofile('labels.f8')\n"
ANSWER = "open('answer.json', 'w').write('{{\"has_probabilities\": false}}')\n"
LEAVE = "os._exit(0)"
REFERENCE_ROWS = as_parquet(impacts(80))
FORGED = {
    "too few predictions": "np.ones({rows} - 1).tofile('labels.f8')\n" + ANSWER,
    "too many predictions": "np.ones({rows} + 1).tofile('labels.f8')\n" + ANSWER,
    "no predictions": ANSWER,
    "predictions that are no numbers": "np.full({rows}, np.nan).tofile('labels.f8')\n" + ANSWER,
    "infinite predictions": "np.full({rows}, np.inf).tofile('labels.f8')\n" + ANSWER,
    "a class that there is not": "np.full({rows}, 7.0).tofile('labels.f8')\n" + ANSWER,
    "half a class": "np.full({rows}, 0.5).tofile('labels.f8')\n" + ANSWER,
    "predictions of a petabyte": "open('labels.f8', 'w').truncate(8 << 20)\n" + ANSWER,
    "predictions in another's file": "os.symlink('{canary}', 'labels.f8')\n" + ANSWER,
    "predictions in a folder": "os.mkdir('labels.f8')\n" + ANSWER,
    "an answer in another's file": LABELS + "os.symlink('{canary}', 'answer.json')\n",
    "an answer in a folder": LABELS + "os.mkdir('answer.json')\n",
    "an answer that is none": LABELS + "open('answer.json', 'w').write('forged')\n",
    "an answer that is too deep": LABELS + "open('answer.json', 'w').write('[' * 10**6)\n",
    "an answer that is a pickle": LABELS + "import pickle; open('answer.json', 'wb').write(pickle.dumps(print))\n",
    "an answer with a result in it": LABELS + "open('answer.json', 'w').write('{{\"metrics\": [1]}}')\n",
    "a negative time": LABELS + "open('answer.json', 'w').write('{{\"load_seconds\": -1}}')\n",
    "scores that are not there": LABELS + "open('answer.json', 'w').write('{{\"scores_columns\": 0}}')\n",
    "scores without end": LABELS + "open('answer.json', 'w').write('{{\"scores_columns\": 99999}}')\n",
}


@pytest.mark.parametrize("act", FORGED.values(), ids=FORGED)
def test_a_forged_answer_is_a_prediction_error(
    act: str, range_: Range, hostile: Callable[..., Path], canary: Canary
) -> None:
    failure = range_.failure(hostile(act.format(rows=40, canary=canary.path) + LEAVE))
    assert failure.failure_class is FailureClass.PREDICTION_ERROR, failure.reason
    assert canary.secret not in failure.reason
    assert canary.is_unharmed


def test_predictions_that_are_written_by_hand_are_measured_like_all_others(
    range_: Range, hostile: Callable[..., Path]
) -> None:
    found = range_.run(hostile((LABELS + ANSWER).format(rows=40) + LEAVE))
    assert found.metrics[0].value == INTACT
    assert "ended the process itself" in found.explanation.impossible


def test_an_explanation_that_is_forged_costs_the_explanation_only(
    range_: Range, hostile: Callable[..., Path], canary: Canary
) -> None:
    act = (LABELS + ANSWER).format(rows=40) + f"os.symlink('{canary.path}', 'explanation.json')\n" + LEAVE
    found = range_.run(hostile(act))
    assert found.metrics[0].value == INTACT
    assert "explanation" in found.explanation.impossible
    assert canary.secret not in found.explanation.impossible


REFERENCE_ANSWER = "open('reference.json', 'w').write('{{\"rows\": 2}}')\n"
FORGED_REFERENCES = {
    "classes that there are not": "np.full(2, 7.0).tofile('reference-labels.f8')\n" + REFERENCE_ANSWER,
    "predictions in another's file": "os.symlink('{canary}', 'reference-labels.f8')\n" + REFERENCE_ANSWER,
}


@pytest.mark.parametrize("act", FORGED_REFERENCES.values(), ids=FORGED_REFERENCES)
def test_forged_predictions_of_the_reference_cost_their_drift_only(
    act: str, range_: Range, hostile: Callable[..., Path], canary: Canary
) -> None:
    bundle = hostile((LABELS + ANSWER + act).format(rows=40, canary=canary.path) + LEAVE)
    smuggle(bundle, REFERENCE, REFERENCE_ROWS)
    found = range_.run(bundle)
    assert found.metrics[0].value == INTACT
    assert found.drift
    assert (len(found.drift.columns), found.drift.predictions) == (2, None)
    assert found.drift_unknown
    assert canary.secret not in found.drift_unknown


def test_a_model_that_rewrites_atlas_in_its_process_changes_its_own_process_only(
    range_: Range, hostile: Callable[..., Path]
) -> None:
    act = (
        "import atlas.metrics, sklearn.metrics, benchmark_engine.sandbox.prediction as prediction\n"
        "prediction.encode = lambda *a, **k: np.zeros(40)\n"
        "atlas.metrics.measure = None; sklearn.metrics.accuracy_score = lambda *a, **k: 1.0\n"
        "os._exit = lambda code: None; sys.stdout = None"
    )
    found = range_.run(hostile(act))
    assert found.metrics[0].value == 1 - INTACT
