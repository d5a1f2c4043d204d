"""Features of signals: what they are worth, where there is little to measure, and inside the sandbox."""

import builtins
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import atlas
from atlas.bundle import load_part, unpack
from atlas.errors import MissingPackageError
from atlas.signals import FEATURES, OF_TIME, SignalFeatures

RATE = 8_000
SECOND = np.arange(RATE) / RATE


def tone(hertz: float, amplitude: float = 1.0, samples: int = RATE) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hertz * SECOND[:samples])


def noise(seed: int = 0, samples: int = RATE) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=samples)


def features_of(*signals: Any, **parameters: Any) -> pd.DataFrame:
    """The features of a column `audio`."""
    rows = pd.DataFrame({"audio": pd.Series(list(signals), dtype=object)})
    chosen: dict[str, Any] = {"columns": ["audio"], "rate_hz": RATE, **parameters}
    return SignalFeatures(**chosen).fit(rows).transform(rows)


def test_a_tone_is_measured_as_what_it_is() -> None:
    found = features_of(tone(440, amplitude=2.0)).iloc[0]
    assert found["audio_rms"] == pytest.approx(2 / np.sqrt(2), rel=1e-3)
    assert found["audio_peak"] == pytest.approx(2, rel=1e-3)
    assert found["audio_crest_factor"] == pytest.approx(np.sqrt(2), rel=1e-3)
    assert found["audio_zero_crossing_rate"] == pytest.approx(2 * 440 / RATE, rel=1e-2)
    assert found["audio_spectral_centroid"] == pytest.approx(440, rel=0.05)
    assert found["audio_spectral_rolloff"] == pytest.approx(440, rel=0.05)


def test_noise_is_broader_and_flatter_than_a_tone() -> None:
    found = features_of(noise(), tone(440))
    for name in ("spectral_bandwidth", "spectral_flatness", "spectral_rolloff"):
        assert found[f"audio_{name}"][0] > 3 * found[f"audio_{name}"][1]


def test_there_is_a_column_for_each_feature_and_coefficient() -> None:
    rows = pd.DataFrame({"speed": [3.0], "audio": [list(tone(440))], "shock": [[0.1, -0.2]]}, index=[7])
    made = SignalFeatures(features=["rms", "mfcc"], rate_hz={"audio": RATE, "shock": 100}, n_mfcc=2).fit(rows)
    found = made.transform(rows)
    assert list(found) == [
        "speed",
        "audio_rms",
        "audio_mfcc_1",
        "audio_mfcc_2",
        "shock_rms",
        "shock_mfcc_1",
        "shock_mfcc_2",
    ]
    assert list(made.get_feature_names_out()) == list(found)
    assert list(found.index) == [7]
    assert found["speed"].tolist() == [3.0]


@pytest.mark.parametrize("nothing", [None, [], np.array([]), [np.nan, np.inf], [[], []], float("nan"), pd.NA])
def test_where_nothing_is_there_nothing_is_said(nothing: object) -> None:
    assert features_of(tone(440), nothing).iloc[1].isna().all()


@pytest.mark.parametrize(
    "little", [[0.0], [0.5], [1, 2], np.zeros(RATE), np.full(RATE, 3.5), np.zeros(3), noise(samples=2049)]
)
def test_silence_constants_and_short_signals_have_a_value_for_everything(little: object) -> None:
    assert np.isfinite(features_of(little).to_numpy()).all()


def test_silence_has_the_documented_values() -> None:
    found = features_of(np.zeros(RATE)).iloc[0]
    for name in (*OF_TIME, "spectral_centroid", "spectral_bandwidth", "spectral_rolloff"):
        assert found[f"audio_{name}"] == 0
    assert found["audio_spectral_flatness"] == pytest.approx(1)


def test_samples_that_are_not_finite_are_left_out() -> None:
    assert features_of([1.0, np.nan, -3.0]).equals(features_of([1.0, -3.0]))


def test_channels_are_averaged() -> None:
    both, one, other = (features_of(each).iloc[0] for each in ([tone(440), tone(880)], tone(440), tone(880)))
    assert np.allclose(both, (one + other) / 2)


def test_each_row_may_have_a_rate_of_its_own() -> None:
    rows = pd.DataFrame({"audio": [tone(440), tone(440), tone(440)], "rate": [RATE, RATE / 2, np.nan]})
    found = SignalFeatures(rate_hz="rate").fit(rows).transform(rows)
    assert found["audio_spectral_centroid"][1] == pytest.approx(found["audio_spectral_centroid"][0] / 2)
    assert found["rate"].tolist()[:2] == [RATE, RATE / 2]
    assert np.isnan(found["audio_spectral_centroid"][2])
    assert found["audio_rms"][2] == found["audio_rms"][0]


def test_a_row_has_the_same_features_alone_and_among_others() -> None:
    together = features_of(noise(1), tone(440), noise(2))
    assert features_of(tone(440)).iloc[0].equals(together.iloc[1])


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"features": ["loudness"]}, "features: one or more of rms, "),
        ({"features": "rms"}, "features: "),
        ({"rate_hz": None}, "rate_hz, samples a second, is wanted for spectral_centroid"),
        ({"rate_hz": {"video": 25.0}}, "rate_hz says nothing of audio"),
        ({"rate_hz": "rate"}, "no column rate among audio"),
        ({"columns": ["sound"]}, "no column sound among audio"),
        ({"hop_length": 4096}, "hop_length is from 1 to frame_length, 2048"),
        ({"n_mfcc": 41}, "n_mfcc is from 1 to 40"),
        ({"rolloff": 1.5}, "rolloff is between 0 and 1"),
    ],
)
def test_a_wrong_parameter_is_named(parameters: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        features_of(tone(440), **parameters)


def test_a_cell_that_is_no_signal_is_shown() -> None:
    with pytest.raises(ValueError, match="a signal is a list of numbers, not 3"):
        features_of(tone(440), 3)


def test_a_name_that_is_taken_is_refused() -> None:
    rows = pd.DataFrame({"audio": [[1.0]], "audio_rms": [1.0]})
    with pytest.raises(ValueError, match="a second audio_rms"):
        SignalFeatures(features=["rms"]).fit(rows)


def test_it_is_a_transformer_like_any_other() -> None:
    rows = pd.DataFrame({"audio": [tone(440), noise()]})
    pipeline = make_pipeline(clone(SignalFeatures(rate_hz=RATE)), StandardScaler()).fit(rows)
    again = pickle.loads(pickle.dumps(pipeline))
    assert (again.transform(rows) == pipeline.transform(rows)).all()


def test_without_librosa_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name == "librosa":
            raise ModuleNotFoundError("No module named 'librosa'", name="librosa")
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingPackageError, match=r"need librosa, .*pip install 'atlas-benchmark\[training\]'"):
        features_of(tone(440))
    assert np.isfinite(features_of(tone(440), features=OF_TIME).to_numpy()).all()


# In a bundle --------------------------------------------------------------------------------------------------------


def recordings(number: int, seed: int) -> pd.DataFrame:
    """Half a second of sound each: tones that are damaged by noise, or not."""
    random = np.random.default_rng(seed)
    damaged = random.random(number) > 0.5
    signals = [
        tone(random.uniform(200, 400), samples=4_000) + broken * 0.5 * random.normal(size=4_000) for broken in damaged
    ]
    return pd.DataFrame(
        {"audio": signals, "speed": random.normal(size=number), "label": np.where(damaged, "damaged", "intact")}
    )


def packed(folder: Path, file_format: str) -> Path:
    rows = recordings(60, seed=1)
    inputs = rows[["audio", "speed"]]
    pipeline = make_pipeline(SignalFeatures(rate_hz=RATE, frame_length=512, hop_length=256), StandardScaler())
    model = LogisticRegression().fit(pipeline.fit_transform(inputs), rows["label"])
    return atlas.pack(
        model, folder, name="Ear", version="1.0.0", use_case="damage detector", task="binary",
        author=("Ines Prado", "ines@example.org"), tags=["impacts"], metrics=["accuracy"],
        example=inputs.head(), reference=inputs, pipeline=pipeline, format=file_format,
    )  # fmt: skip


@pytest.mark.parametrize("file_format", ["skops", "joblib"])
def test_a_bundle_carries_it(tmp_path: Path, file_format: str) -> None:
    bundle = packed(tmp_path, file_format)
    manifest = unpack(bundle, tmp_path / "unpacked")
    assert manifest.pipeline is not None
    rows = recordings(5, seed=2)[["audio", "speed"]]
    found = load_part(tmp_path / "unpacked", manifest.pipeline).transform(rows)
    assert found.shape == (5, 1 + len(FEATURES) - 1 + 13)
