"""Features of signals: what a model learns from columns that hold a whole signal in each row.

The engine that benchmarks a bundle has this module too, so that a pipeline may hold a `SignalFeatures`.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from atlas.errors import MissingPackageError

OF_TIME = ("rms", "peak", "zero_crossing_rate", "crest_factor")
OF_FREQUENCY = ("spectral_centroid", "spectral_bandwidth", "spectral_rolloff", "spectral_flatness", "mfcc")
FEATURES = (*OF_TIME, *OF_FREQUENCY)
MOST_MEL_BANDS = 40
"""Bands of the mel spectrum that MFCCs are made of; fewer where frames are short."""


class SignalFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turns list columns into numbers, as scikit-learn's transformers do; other columns pass unchanged, before them.

    Of a column `audio` come `audio_rms`, `audio_spectral_centroid`, `audio_mfcc_1`, and so on. It learns nothing from
    the rows but which columns hold lists, and gives the same numbers for a row whatever rows are beside it.

    A row without a signal (none, an empty one, or no finite sample) has NaN for each feature. Samples that are not
    finite are left out. A list of lists holds several channels, and each feature is the mean of theirs. A signal that
    is shorter than a frame is filled up with zeros for the features of frequency.

    Args:
        columns: the columns of signals; all that hold lists if not given.
        features: which of `FEATURES` are computed:
            `rms`, root of the mean of squares; `peak`, largest absolute sample; `zero_crossing_rate`, share of steps
            from one sample to the next that change sign, 0 for one sample; `crest_factor`, peak by RMS, 0 for silence;
            of the magnitude spectrum, as means over frames: `spectral_centroid` and `spectral_bandwidth` in Hz,
            `spectral_rolloff`, the frequency in Hz below which `rolloff` of the magnitude lies (these three are 0 for
            silence), `spectral_flatness`, from 0 for a tone to 1 for white noise and for silence; `mfcc`, the first
            `n_mfcc` mel-frequency cepstral coefficients.
        rate_hz: samples a second: a number, a mapping from columns to numbers, or the name of a column that holds each
            row's. Features of frequency need it.
        n_mfcc: how many MFCCs there are.
        frame_length: samples of a frame.
        hop_length: samples from one frame to the next.
        rolloff: the share of `spectral_rolloff`.
    """

    def __init__(
        self,
        columns: Sequence[str] | None = None,
        features: Sequence[str] = FEATURES,
        rate_hz: float | Mapping[str, float] | str | None = None,
        n_mfcc: int = 13,
        frame_length: int = 2048,
        hop_length: int = 512,
        rolloff: float = 0.85,
    ) -> None:
        self.columns = columns
        self.features = features
        self.rate_hz = rate_hz
        self.n_mfcc = n_mfcc
        self.frame_length = frame_length
        self.hop_length = hop_length
        self.rolloff = rolloff

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:  # noqa: ARG002, N803 - the signature is scikit-learn's
        """Look at the parameters and at the columns of the rows.

        Raises:
            ValueError: a parameter is wrong, or a column is missing.
            MissingPackageError: librosa is needed, and not installed.
        """
        self._check_parameters()
        self.feature_names_in_ = np.asarray(_frame(X).columns, dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        self.columns_ = list(_lists(X) if self.columns is None else self.columns)
        self._check_columns()
        if self._of_frequency:
            _librosa()
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803 - the signature is scikit-learn's
        """The features of each row, (n, features), with the index of the rows.

        Raises:
            ValueError: a column is missing, or holds no signals.
            MissingPackageError: librosa is needed, and not installed.
        """
        check_is_fitted(self, "columns_")
        rows = _frame(X)
        absent = [name for name in self.feature_names_in_ if name not in rows]
        if absent:
            raise ValueError(f"SignalFeatures was fitted on columns that are missing here: {', '.join(absent)}")
        made = [self._of_column(name, rows) for name in self.columns_]
        return pd.concat([rows[self._others], *made], axis=1)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:  # noqa: ARG002 - scikit-learn's
        """The names of the columns that `transform` gives."""
        check_is_fitted(self, "columns_")
        made = [f"{column}_{name}" for column in self.columns_ for name in self._names]
        return np.asarray([*self._others, *made], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """It learns nothing from rows: their features are the same whichever rows it was fitted on."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.allow_nan = True
        return tags

    # Parameters

    def _check_parameters(self) -> None:
        unknown = [name for name in self.features if name not in FEATURES]
        if isinstance(self.features, str) or unknown or not len(self.features):
            raise ValueError(f"features: one or more of {', '.join(FEATURES)} are wanted, not {self.features!r}")
        if self._of_frequency and self.rate_hz is None:
            raise ValueError(f"rate_hz, samples a second, is wanted for {', '.join(self._of_frequency)}")
        if not 0 < self.hop_length <= self.frame_length:
            raise ValueError(f"hop_length is from 1 to frame_length, {self.frame_length}, not {self.hop_length}")
        if not 1 <= self.n_mfcc <= self._mel_bands:
            raise ValueError(f"n_mfcc is from 1 to {self._mel_bands} with this frame_length, not {self.n_mfcc}")
        if not 0 < self.rolloff < 1:
            raise ValueError(f"rolloff is between 0 and 1, not {self.rolloff}")

    def _check_columns(self) -> None:
        known = set(self.feature_names_in_)
        named = [*self.columns_, *([self.rate_hz] if isinstance(self.rate_hz, str) else [])]
        absent = [name for name in named if name not in known]
        if absent or not self.columns_:
            what = f"no column {', '.join(absent)}" if absent else "no column of lists"
            raise ValueError(f"SignalFeatures: there is {what} among {', '.join(map(str, self.feature_names_in_))}")
        silent = [name for name in self.columns_ if isinstance(self.rate_hz, Mapping) and name not in self.rate_hz]
        if silent:
            raise ValueError(f"rate_hz says nothing of {', '.join(silent)}")
        twice = {str(name) for name in self._others} & set(self.get_feature_names_out()[len(self._others) :])
        if twice:
            raise ValueError(f"SignalFeatures would make a second {', '.join(sorted(twice))}; leave out the first")

    @property
    def _of_frequency(self) -> list[str]:
        return [name for name in self.features if name in OF_FREQUENCY]

    @property
    def _mel_bands(self) -> int:
        return max(1, min(MOST_MEL_BANDS, self.frame_length // 8))

    @property
    def _others(self) -> list[str]:
        return [name for name in self.feature_names_in_ if name not in self.columns_]

    @property
    def _names(self) -> list[str]:
        coefficients = [f"mfcc_{number}" for number in range(1, self.n_mfcc + 1)]
        return [each for name in self.features for each in (coefficients if name == "mfcc" else [name])]

    # Rows

    def _of_column(self, column: str, rows: pd.DataFrame) -> pd.DataFrame:
        values = [self._of_cell(cell, rate) for cell, rate in zip(rows[column], self._rates(column, rows), strict=True)]
        names = [f"{column}_{name}" for name in self._names]
        return pd.DataFrame(np.array(values).reshape(len(rows), len(names)), index=rows.index, columns=names)

    def _rates(self, column: str, rows: pd.DataFrame) -> np.ndarray:
        """The rate of each row; NaN where none is needed or known."""
        if isinstance(self.rate_hz, str):
            return np.asarray(pd.to_numeric(rows[self.rate_hz]).to_numpy(dtype=float))
        rate = self.rate_hz[column] if isinstance(self.rate_hz, Mapping) else self.rate_hz
        return np.full(len(rows), np.nan if rate is None else float(rate))

    def _of_cell(self, cell: object, rate: float) -> np.ndarray:
        found = [self._of_channel(channel, rate) for channel in _channels(cell)]
        return np.mean(found, axis=0) if found else np.full(len(self._names), np.nan)

    def _of_channel(self, samples: np.ndarray, rate: float) -> np.ndarray:
        signal = _Signal(samples, rate, self)
        return np.concatenate([np.atleast_1d(getattr(signal, name)()) for name in self.features])


class _Signal:
    """One channel: at least one sample, all of them finite. Each method is a feature."""

    def __init__(self, samples: np.ndarray, rate: float, settings: SignalFeatures) -> None:
        self._samples, self._rate, self._settings = samples, rate, settings

    def rms(self) -> float:
        return float(np.sqrt(np.mean(np.square(self._samples))))

    def peak(self) -> float:
        return float(np.abs(self._samples).max())

    def zero_crossing_rate(self) -> float:
        negative = self._samples < 0
        return float(np.mean(negative[1:] != negative[:-1])) if len(negative) > 1 else 0.0

    def crest_factor(self) -> float:
        rms = self.rms()
        return self.peak() / rms if rms > 0 else 0.0

    def spectral_centroid(self) -> float:
        return self._mean("spectral_centroid", sr=self._rate)

    def spectral_bandwidth(self) -> float:
        return self._mean("spectral_bandwidth", sr=self._rate)

    def spectral_rolloff(self) -> float:
        return self._mean("spectral_rolloff", sr=self._rate, roll_percent=self._settings.rolloff)

    def spectral_flatness(self) -> float:
        return self._mean("spectral_flatness")

    def mfcc(self) -> np.ndarray:
        count = self._settings.n_mfcc
        if not self._rate > 0:
            return np.full(count, np.nan)
        bands = _mel_filter(self._rate, self._settings.frame_length, self._settings._mel_bands) @ self._spectrum**2
        decibels = _librosa().power_to_db(bands)
        return np.asarray(_librosa().feature.mfcc(S=decibels, n_mfcc=count).mean(axis=1))

    def _mean(self, feature: str, **arguments: float) -> float:
        """The mean over the frames of one of librosa's features; NaN where the rate is not known."""
        if "sr" in arguments and not arguments["sr"] > 0:
            return float("nan")
        return float(np.mean(getattr(_librosa().feature, feature)(S=self._spectrum, **arguments)))

    @cached_property
    def _spectrum(self) -> np.ndarray:
        """Magnitudes, (frequencies, frames), of a signal that is filled up to whole frames."""
        length, hop = self._settings.frame_length, self._settings.hop_length
        frames = 1 + max(0, -(-(len(self._samples) - length) // hop))
        whole = np.pad(self._samples, (0, length + (frames - 1) * hop - len(self._samples)))
        return np.asarray(np.abs(_librosa().stft(whole, n_fft=length, hop_length=hop, center=False)))


# Cells --------------------------------------------------------------------------------------------------------------


def _frame(rows: object) -> pd.DataFrame:
    if not isinstance(rows, pd.DataFrame):
        raise ValueError(f"SignalFeatures wants a pandas data frame, not {type(rows).__name__}")
    return rows


def _lists(rows: pd.DataFrame) -> Iterator[str]:
    """The columns whose first value that is there is a list of numbers, or of channels."""
    for name in rows:
        known = rows[name].dropna() if rows[name].dtype == object else rows[name].iloc[:0]
        if any(isinstance(cell, list | tuple | np.ndarray) and not _is_text(cell) for cell in known.iloc[:1]):
            yield str(name)


def _is_text(cell: Any) -> bool:
    return len(cell) > 0 and isinstance(cell[0], str)


def _channels(cell: object) -> Iterator[np.ndarray]:
    """The finite samples of each channel that has some."""
    if not isinstance(cell, list | tuple | np.ndarray):
        if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
            return
        raise ValueError(f"a signal is a list of numbers, not {cell!r}")
    nested = len(cell) > 0 and any(isinstance(each, list | tuple | np.ndarray) for each in cell[:1])
    for channel in cell if nested else [cell]:
        samples = np.asarray([] if channel is None else channel, dtype=float)
        finite = samples[np.isfinite(samples)]
        if len(finite):
            yield finite


# librosa ------------------------------------------------------------------------------------------------------------


def _librosa() -> Any:
    """The library, which is slow to import.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        import librosa
    except ModuleNotFoundError as error:
        how = "pip install 'atlas-benchmark[training]'"
        raise MissingPackageError(
            f"Features of signals need {error.name}, which is not installed here: {how}"
        ) from error
    return librosa


@lru_cache(maxsize=64)
def _mel_filter(rate: float, frame_length: int, bands: int) -> np.ndarray:
    """The weight of each frequency in each band of the mel scale, (bands, frequencies)."""
    return np.asarray(_librosa().filters.mel(sr=rate, n_fft=frame_length, n_mels=bands))
