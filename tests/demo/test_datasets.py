"""The demo's data are scikit-learn's own, whole, in two halves."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from atlas.datasets import Split, split_of
from demo.datasets import FIRST_HALF, SECOND_HALF, SOURCES, Source, events, half, write_recording
from ingestion_engine.parsing import parse

BY_TAG = {source.tag: source for source in SOURCES}
ROWS = {"breast-cancer": 569, "wine": 178, "digits": 1797, "diabetes": 442}

each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.tag)


@each_source
def test_the_halves_are_disjoint_and_complete(source: Source) -> None:
    first, second = half(source, FIRST_HALF), half(source, SECOND_HALF)
    assert set(first["id"]).isdisjoint(second["id"])
    assert len(first) + len(second) == events(source)["id"].nunique() == ROWS[source.tag]
    assert abs(len(first) - len(second)) <= 1


@each_source
def test_the_second_half_comes_after_the_first(source: Source) -> None:
    assert half(source, FIRST_HALF)["time"].max() < half(source, SECOND_HALF)["time"].min()


@pytest.mark.parametrize("tag", ["breast-cancer", "wine", "digits"])
def test_the_first_half_has_every_class_in_both_splits(tag: str) -> None:
    source = BY_TAG[tag]
    rows = half(source, FIRST_HALF)
    split = [split_of(f"{source.recording(FIRST_HALF)}/{event}") for event in rows["id"]]
    for name in Split:
        assert set(rows["label"][[found is name for found in split]]) == set(events(source)["label"])


def test_measurements_and_labels_are_the_originals() -> None:
    original = load_breast_cancer(as_frame=True)
    rows = events(BY_TAG["breast-cancer"]).sort_values("id")
    assert (rows["mean_radius"].to_numpy() == original.data["mean radius"].to_numpy()).all()
    assert (rows["label"].to_numpy() == original.target_names[original.target]).all()
    assert rows.shape[1] == original.data.shape[1] + 3


def test_labels_are_words_where_the_data_set_has_words() -> None:
    assert set(events(BY_TAG["breast-cancer"])["label"]) == {"malignant", "benign"}
    assert set(events(BY_TAG["wine"])["label"]) == set(load_wine().target_names)
    assert set(events(BY_TAG["digits"])["label"]) == set(load_digits().target_names.tolist())
    assert events(BY_TAG["diabetes"])["label"].dtype.kind == "f"


def test_nothing_is_said_of_cars_and_environments() -> None:
    for source in SOURCES:
        assert {"car", "environment"}.isdisjoint(events(source).columns)


@each_source
def test_a_recording_has_the_same_bytes_every_time(source: Source, tmp_path: Path) -> None:
    content = [write_recording(source, FIRST_HALF, tmp_path).read_bytes() for _ in range(2)]
    assert content[0] == content[1]


@each_source
def test_the_ingestion_engine_reads_a_recording_as_it_was(source: Source, tmp_path: Path) -> None:
    rows = half(source, SECOND_HALF)
    recording = parse(write_recording(source, SECOND_HALF, tmp_path))
    index, features = recording.index.to_pandas(), recording.features.to_pandas()
    assert list(index["id"]) == list(rows["id"])
    assert list(index["label"]) == list(rows["label"])
    assert (pd.DatetimeIndex(index["time"]) == pd.DatetimeIndex(rows["time"])).all()
    names = [name for name in rows.columns if name not in {"id", "time", "label"}]
    assert np.array_equal(features[names].to_numpy(dtype=float), rows[names].to_numpy(dtype=float))


def test_a_query_finds_both_recordings_of_its_data_set() -> None:
    source = BY_TAG["wine"]
    assert source.query == 'recording ~ "wine-part-"'
    assert all("wine-part-" in source.recording(number) for number in (FIRST_HALF, SECOND_HALF))
