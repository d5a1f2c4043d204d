"""What an explanation costs, measured in a small way: the figures say nothing here, but that they can be had."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.explain import EXACT, PARTS, TARGETS, DisagreementError, alike, check_same
from benchmarks.scripts import ROOT

VALUES = np.random.default_rng(0).normal(size=(5, 8, 2)) * np.arange(8)[:, None]


@pytest.mark.system
@pytest.mark.timeout(900)
def test_all_figures_are_printed_as_one_object(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.explain", "--json", "--quick", "--rounds", "1", "--only", *PARTS],
        cwd=ROOT,
        env={**os.environ, "ATLAS_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(done.stdout)
    assert TARGETS.keys() <= figures.keys()
    assert all(figures[name] > 0 for name in figures if name.endswith(("_seconds", "_pairs")) or "_vs_" in name)
    assert figures["svm_error_ours"] <= figures["svm_error_permutation"]
    assert figures["importance_rank_WineDecisionTree"] > 0.9


def test_values_that_differ_are_not_compared_by_their_times() -> None:
    check_same(VALUES, VALUES * (1 + EXACT / 10), EXACT)
    with pytest.raises(DisagreementError, match="differ by"):
        check_same(VALUES, VALUES * (1 + EXACT * 10), EXACT)


def test_values_of_other_outputs_are_alike_if_they_find_the_same_features_important() -> None:
    assert alike(VALUES, VALUES[:, :, :1] / 7) > 0.9
    with pytest.raises(DisagreementError, match="correlate"):
        alike(VALUES, VALUES[:, ::-1])
