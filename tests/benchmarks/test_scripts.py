"""Tests of the scripts that are measured beside the engine."""

import joblib
import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from atlas.datasets import read_arrow
from benchmarks import bare
from benchmarks.engine import together
from benchmarks.scripts import Script, ScriptError
from benchmarks.scripts import bare as script
from benchmarks.subjects import METRICS, Prepared, features


def test_the_bare_script_computes_each_metric_with_its_interval(small: Prepared) -> None:
    measured, of_classes, matrix = bare.benchmark(small)
    model = joblib.load(small.model)
    truth = np.array(read_arrow(small.data)["label"].to_pylist())
    values = {value.name: value for value in measured.metrics}
    assert set(values) == set(METRICS)
    assert values["accuracy"].value == accuracy_score(truth, model.predict(features(small).to_pandas()))
    assert all(value.low is not None for value in measured.metrics)
    assert len(of_classes) == 3
    assert sum(map(sum, matrix.counts)) == len(truth)


def test_it_computes_the_same_in_pieces(small: Prepared) -> None:
    assert bare.benchmark(small, rows_at_once=37) == bare.benchmark(small)


@pytest.mark.parametrize("options", [("--times", "2"), ("--times", "2", "--pool", "2"), ("--rows-at-once", "64")])
def test_it_says_how_long_it_took(small: Prepared, options: tuple[str, ...]) -> None:
    assert 0 < together([script(small.folder, *options)]) < 60


def test_a_script_that_fails_says_so() -> None:
    with pytest.raises(ScriptError, match="nothing_of_the_kind"):
        Script("-m", "nothing_of_the_kind")
