"""Models that are awkward to explain: many features, features that are no table, and estimators with demands."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from atlas.formats import Model
from atlas.metrics import Needs, Predictions
from atlas.vocabulary import Task
from explainability import explaining
from explainability.attribution import ImpossibleError
from tests.explanations import data, explained, frame, strengths


@pytest.fixture(autouse=True)
def no_approximations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values alone: what is found beside them has tests of its own."""
    monkeypatch.setattr(explaining, "with_approximations", lambda findings, **_: findings)


def wide(features: int = 5_000) -> tuple[pd.DataFrame, np.ndarray]:
    numbers = np.random.default_rng(0).normal(size=(60, features))
    return frame(numbers), (numbers[:, 0] > 0).astype(int)


@pytest.mark.parametrize("model", [LogisticRegression(), RandomForestClassifier(10, random_state=0)], ids=str)
def test_five_thousand_features_are_explained_exactly(model: Any) -> None:
    features, truth = wide()
    findings = explained(model.fit(features, truth), Task.BINARY, features, seconds=120)
    assert findings.values.shape == (40, 5_000, 1)
    assert findings.value_error == 0


def test_hundreds_of_features_of_any_model_are_explained() -> None:
    features, truth = wide(200)
    findings = explained(GaussianNB().fit(features, truth), Task.BINARY, features)
    assert len(findings.values) >= 10
    assert findings.gap < 1e-6
    assert strengths(findings).argmax() == 0


def test_five_thousand_features_are_too_many_for_a_slow_model_and_the_reason_has_figures() -> None:
    features, truth = wide()
    with pytest.raises(ImpossibleError, match=r"has 5,000 features: to explain 10 events .* more than the 0 s"):
        explained(GaussianNB().fit(features, truth), Task.BINARY, features, seconds=0.3)


def texts(count: int, words: int) -> tuple[pd.DataFrame, list[int]]:
    random = np.random.default_rng(0)
    notes = [" ".join(f"w{word}" for word in random.integers(0, words, 60)) for _ in range(count)]
    truth = [number % 2 for number in range(count)]
    loud = [f"{note} loud" if on else note for note, on in zip(notes, truth, strict=True)]
    return pd.DataFrame({"note": loud}), truth


@pytest.mark.parametrize(
    ("final", "count"), [(LogisticRegression(), 400), (KNeighborsClassifier(), 60)], ids=["linear", "neighbours"]
)
def test_thousands_of_sparse_features_are_explained(final: Any, count: int) -> None:
    table, truth = texts(count, words=20_000)
    words = ColumnTransformer([("words", TfidfVectorizer(), "note")], verbose_feature_names_out=False)
    findings = explained(make_pipeline(words, final).fit(table, truth), Task.BINARY, table)
    assert len(findings.features) > 3_000
    assert findings.features[strengths(findings).argmax()] == "loud"
    assert set(findings.sources) == {"note", ""}
    assert findings.sources[findings.features.index("loud")] == "note"


# Signals


def signals() -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    loudness = random.uniform(0, 3, 60)
    windows = [(random.normal(size=32) * loud).tolist() for loud in loudness]
    return pd.DataFrame({"shock": windows, "speed": random.normal(size=60)}), (loudness > 1.5).astype(int)


class Spectrum(BaseEstimator):  # type: ignore[misc]
    """Features of a signal and a number, named or not."""

    def transform(self, rows: pd.DataFrame) -> np.ndarray:
        windows = np.stack([np.asarray(window) for window in rows["shock"]])
        return np.column_stack([np.abs(np.fft.rfft(windows))[:, :4], rows["speed"]])


def test_features_of_a_signal_are_traced_to_its_column() -> None:
    table, truth = signals()
    model = KNeighborsClassifier().fit(Spectrum().transform(table), truth)
    findings = explained(model, Task.BINARY, table, pipeline=Spectrum())
    assert findings.features == ("feature 1", "feature 2", "feature 3", "feature 4", "feature 5")
    assert findings.sources == ("shock", "shock", "shock", "shock", "speed")


class Energy(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A model that gets signals as they are."""

    classes_ = np.array([0, 1])

    def predict_proba(self, rows: Any) -> np.ndarray:
        windows = np.stack([np.asarray(window) for window in np.asarray(rows)[:, 0]])
        loud = 1 / (1 + np.exp(2 - windows.reshape(len(windows), -1).std(axis=1)))
        return np.column_stack([1 - loud, loud])

    def predict(self, rows: Any) -> np.ndarray:
        return np.asarray(self.classes_[self.predict_proba(rows).argmax(axis=1)])


def test_a_model_of_signals_is_explained_by_column() -> None:
    table, _ = signals()
    findings = explained(Energy(), Task.BINARY, table)
    assert findings.features == findings.sources == ("shock", "speed")
    assert findings.output == "probability"
    assert strengths(findings)[1] == 0 < strengths(findings)[0]
    assert np.isnan(findings.rows[:, 0]).all()
    np.testing.assert_allclose(findings.rows[:, 1], table["speed"].head(40), rtol=1e-5)


@pytest.mark.parametrize(
    "windows",
    [
        lambda rows: np.stack([np.asarray(window)[None] for window in rows["shock"]]),
        lambda rows: np.array([[window, 0] for window in rows["shock"].tolist()], dtype=object),
    ],
    ids=["three dimensions", "objects"],
)
def test_columns_are_explained_where_a_pipeline_gives_no_numbers_in_rows_and_columns(windows: Any) -> None:
    table, _ = signals()
    findings = explained(Energy(), Task.BINARY, table, pipeline=FunctionTransformer(windows))
    assert strengths(findings)[1] == 0 < strengths(findings)[0]


# Demands


def test_a_pipeline_that_drops_and_renames_columns_is_traced() -> None:
    features, truth = data(Task.BINARY)
    columns = ColumnTransformer([("second", StandardScaler(), ["x01"]), ("first", "passthrough", ["x00"])])
    columns.set_output(transform="pandas")
    renamed = FunctionTransformer(lambda rows: rows.set_axis(["rms", "peak"], axis=1))
    for final in (GaussianNB(), LogisticRegression()):
        findings = explained(make_pipeline(columns, renamed, final).fit(features, truth), Task.BINARY, features)
        assert findings.features == ("rms", "peak")
        assert findings.sources == ("x01", "x00")


class Picky(GaussianNB):  # type: ignore[misc]
    """It wants just its own column names, at least two rows, and rows that are not all the same."""

    def predict_proba(self, X: Any) -> np.ndarray:
        if list(X.columns) != list(self.feature_names_in_):
            raise ValueError("other columns")
        if len(X) < 2 or (X.nunique() == 1).all():
            raise ValueError("a single row")
        return np.asarray(super().predict_proba(X))


def test_a_model_that_refuses_single_rows_and_other_names_is_explained() -> None:
    features, truth = data(Task.BINARY)
    assert explained(Picky().fit(features, truth), Task.BINARY).method == "permutation sampling"


def test_an_array_is_named_for_a_model_that_knows_names() -> None:
    features, truth = data(Task.BINARY)
    pipeline = FunctionTransformer(lambda rows: rows.to_numpy())
    findings = explained(GaussianNB().fit(features, truth), Task.BINARY, pipeline=pipeline)
    assert findings.sources == tuple(features.columns)


def test_missing_values_reach_the_model_and_are_said() -> None:
    features, truth = data(Task.BINARY)
    holes = features.iloc[:, :6].mask(np.random.default_rng(0).random((len(features), 6)) < 0.2)
    model = BaggingClassifier(DecisionTreeClassifier(max_depth=4), n_estimators=2, random_state=0)
    findings = explained(model.fit(holes, truth), Task.BINARY, holes)
    np.testing.assert_array_equal(np.isnan(findings.rows), holes.head(40).isna())
    assert np.isfinite(findings.values).all()


def test_a_model_that_fails_on_mixed_events_says_so_in_its_own_words() -> None:
    class Failing(Ridge):  # type: ignore[misc]
        __slots__ = ()
        coef_ = property()  # so that it is no linear model

        def predict(self, X: Any) -> np.ndarray:
            raise RuntimeError("such an event cannot be")

    with pytest.raises(RuntimeError, match="such an event cannot be"):
        explained(Failing(), Task.REGRESSION)


def test_a_pipeline_that_fails_on_exchanged_columns_leaves_features_without_sources() -> None:
    features, truth = data(Task.BINARY)
    known = {row.tobytes() for row in features.to_numpy()}

    def only_known(rows: pd.DataFrame) -> np.ndarray:
        if any(row.tobytes() not in known for row in rows.to_numpy()):
            raise ValueError("unknown event")
        return rows.to_numpy() * 2

    model = LogisticRegression().fit(features.to_numpy(), truth)
    findings = explained(model, Task.BINARY, pipeline=FunctionTransformer(only_known))
    assert set(findings.sources) == {""}
    assert findings.values.any()


def test_a_reference_with_other_types_and_more_columns_is_made_like_the_events() -> None:
    events = pd.DataFrame({"count": [1, 2, 3] * 5, "road": pd.Categorical(["wet", "dry", "dry"] * 5)})
    reference = pd.DataFrame({"road": ["dry", "wet"], "count": [1.0, 2.0], "driver": ["Ines", "Ola"]})

    class Strict:
        def predict(self, rows: pd.DataFrame) -> np.ndarray:
            assert rows.dtypes.equals(events.dtypes)
            return (rows["count"] + (rows["road"] == "wet")).to_numpy(dtype=float)

    findings = explained(Strict(), Task.REGRESSION, events, background=reference, background_kind="reference")
    assert findings.background == "reference"
    assert findings.base_values == pytest.approx([2])


class Opaque(Model):
    """A model of a format that has no SHAP values of its own, and fails on most events."""

    def predict(self, features: Any, needs: Collection[Needs]) -> Predictions:
        if len(features) > 5:
            raise ValueError("too many events")
        return Predictions(labels=np.zeros(len(features)))


def test_the_reason_for_a_model_of_any_format_is_that_of_asking_it() -> None:
    with pytest.raises(ImpossibleError, match="fails on some mixtures of two events: ValueError: too many events"):
        explained(Opaque(), Task.REGRESSION)


def test_few_events_are_explained_too() -> None:
    features, truth = data(Task.BINARY)
    model = GaussianNB().fit(features, truth)
    for rows in (1, 5):
        findings = explained(model, Task.BINARY, rows=features.head(rows), background=features)
        assert len(findings.values) == rows


def test_sparse_rows_are_given_as_sparse_rows() -> None:
    class Sparse(GaussianNB):  # type: ignore[misc]
        def predict_proba(self, X: Any) -> np.ndarray:
            return np.asarray(super().predict_proba(X.toarray()))

    features, truth = data(Task.BINARY)
    pipeline = FunctionTransformer(lambda rows: sparse.csr_array(rows.to_numpy()))
    model = Sparse().fit(features.to_numpy(), truth)
    assert explained(model, Task.BINARY, pipeline=pipeline).output == "probability"
