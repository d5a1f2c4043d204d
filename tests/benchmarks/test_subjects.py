"""Tests of the models and data that the engine is measured with."""

from dataclasses import replace
from pathlib import Path

import joblib

from atlas.bundle import inspect
from atlas.datasets import read_arrow
from benchmarks.subjects import Prepared, features, prepare, subjects
from tests.benchmarks.conftest import SMALL


def test_a_model_predicts_the_labels_of_its_data_better_than_chance(small: Prepared) -> None:
    model = joblib.load(small.model)
    truth = read_arrow(small.data)["label"].to_pylist()
    assert model.score(features(small).to_pandas(), truth) > 0.6


def test_each_bundle_is_a_model_of_its_own(small: Prepared) -> None:
    names = {inspect(bundle).name for bundle in small.bundles}
    assert len(names) == SMALL.bundles


def test_a_subject_is_made_once(small: Prepared, tmp_path: Path) -> None:
    before = small.data.stat().st_mtime_ns
    prepare(SMALL, tmp_path / "subjects")
    assert small.data.stat().st_mtime_ns == before


def test_another_subject_of_the_same_name_takes_its_place(small: Prepared, tmp_path: Path) -> None:
    prepare(replace(SMALL, rows=50, bundles=1), tmp_path / "subjects")
    assert features(small).num_rows == 50
    assert len(small.bundles) == 1


def test_the_quick_subjects_are_those_of_the_whole_measurement_but_smaller() -> None:
    quick, whole = subjects(quick=True), subjects(quick=False)
    assert quick.keys() == whole.keys()
    assert all(quick[name].rows <= whole[name].rows for name in quick)
