"""One benchmark from two files to a result, in the real sandbox, whatever the model does."""

import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import atlas
from atlas.datasets import write_arrow
from atlas.results import BenchmarkResult, Failure
from atlas.states import FailureClass
from benchmark_engine import predicting
from benchmark_engine.explanations import VALUES
from benchmark_engine.failures import BenchmarkError
from benchmark_engine.sandbox import spare
from benchmark_engine.sandbox.launcher import Sandbox
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from explainability import explained
from explainability.approximations import OPINIONS
from explainability.batches import FIRST_ROWS
from tests import bundles, jobs
from tests.benchmark_engine.conftest import features, impacts, packed
from tests.libraries import needed
from tests.measured import counting

LIMITS = Limits(wall_seconds=60, memory_bytes=8 << 30)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One zygote for all tests, as an engine has one for all benchmarks."""
    with Sandbox() as started:
        yield started


@pytest.fixture
def benchmark(tmp_path: Path, sandbox: Sandbox) -> Callable[..., BenchmarkResult]:
    """Runs a bundle on a table."""

    def run(bundle: Path, table: pa.Table | None = None, *, limits: Limits = LIMITS, **changes: Any) -> BenchmarkResult:
        data = tmp_path / "data.arrow"
        write_arrow(impacts(200) if table is None else table, data)
        return jobs.run(bundle, data, sandbox, limits=limits, **changes)

    return run


def failure_of(run: Callable[..., BenchmarkResult], *arguments: Any, **changes: Any) -> Failure:
    with pytest.raises(BenchmarkError) as caught:
        run(*arguments, **changes)
    return caught.value.failure


ACTS = """
import ctypes, os, sys, time
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

class Act(ClassifierMixin, BaseEstimator):
    classes_ = np.array(["damaged", "intact"])

    def __init__(self, act=""):
        self.act = act

    def predict(self, X):
        print("predicting", self.act)
        exec(self.act)
        return np.array(["intact"] * len(X))
"""


@pytest.fixture
def acting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A bundle of a model that runs a statement when it predicts."""
    module = tmp_path / "acts.py"
    module.write_text(ACTS)
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(act: str, **changes: Any) -> Path:
        from acts import Act  # type: ignore[import-not-found]

        arguments = {"format": "joblib", "code": [module], "metrics": ["f1", "accuracy"]} | changes
        return packed(tmp_path, Act(act), **arguments)

    return make


def test_the_metrics_are_those_that_scikit_learn_computes(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    table = impacts(200)
    train = impacts(seed=7)
    model = LogisticRegression().fit(features(train), train["label"].to_pylist())
    found = benchmark(packed(tmp_path, model), table)
    truth = np.array(table["label"].to_pylist())
    probabilities = model.predict_proba(features(table))
    predicted = model.predict(features(table))
    assert {value.name: value.value for value in found.metrics} == {
        "f1": f1_score(truth, predicted, pos_label="intact"),
        "accuracy": accuracy_score(truth, predicted),
        "roc_auc": roc_auc_score(truth == "intact", probabilities[:, 1]),
        "log_loss": log_loss(truth, probabilities),
    }


def test_metrics_and_classes_come_with_intervals(benchmark: Callable[..., BenchmarkResult], tmp_path: Path) -> None:
    train = impacts(seed=7)
    model = LogisticRegression().fit(features(train), train["label"].to_pylist())
    table = impacts(200)
    found = benchmark(packed(tmp_path, model), table)
    for value in found.metrics:
        assert value.value is not None
        assert value.low is not None
        assert value.high is not None
        assert value.low <= value.value <= value.high
    truth = table["label"].to_pylist()
    assert {each.label: each.rows for each in found.class_metrics} == {label: truth.count(label) for label in truth}
    assert found.class_metrics[1].f1.value == found.metrics[0].value


def test_a_result_has_everything_that_the_page_shows(benchmark: Callable[..., BenchmarkResult], tmp_path: Path) -> None:
    found = benchmark(packed(tmp_path))
    assert found.confusion_matrix is not None
    assert sum(map(sum, found.confusion_matrix.counts)) == 200
    assert found.confusion_matrix.classes == ("damaged", "intact")
    assert found.costs.predictions == 200
    assert found.costs.peak_memory_bytes > 10 << 20
    assert found.costs.wall_seconds > found.costs.load_seconds >= 0
    (group,) = found.hyperparameters
    assert (group.estimator, group.chosen) == ("LogisticRegression", ())
    assert [importance.feature for importance in found.explanation.importances]
    assert found.provenance.libraries["scikit-learn"]


def test_the_pipeline_member_runs_first_and_its_features_are_explained(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    train = impacts(seed=7)
    pipeline = make_pipeline(StandardScaler()).set_output(transform="pandas").fit(features(train))
    model = RandomForestClassifier(10, random_state=0)
    model.fit(pipeline.transform(features(train)), train["label"].to_pylist())
    found = benchmark(packed(tmp_path, model, pipeline=pipeline))
    assert found.explanation.available, found.explanation.impossible
    assert {importance.feature for importance in found.explanation.importances} == {"peak", "rms"}
    assert found.explanation.method.startswith("tree")


def test_a_model_that_says_nothing_of_its_inside_is_explained_by_asking_it(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    train = impacts(seed=7)
    model = KNeighborsClassifier().fit(features(train), train["label"].to_pylist())
    found = benchmark(packed(tmp_path, model))
    assert found.explanation.method == "permutation sampling"
    assert found.explanation.output == "probability"
    assert {importance.feature for importance in found.explanation.importances} == {"peak", "rms"}


def test_effects_a_tree_and_second_opinions_stand_beside_the_values(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    train = impacts(seed=7)
    model = KNeighborsClassifier(25).fit(features(train), train["label"].to_pylist())
    found = benchmark(packed(tmp_path, model), kept=tmp_path).explanation
    kept = explained.read(tmp_path / VALUES).findings
    assert {effect.feature for effect in kept.effects} == {"peak", "rms"}
    assert kept.local is not None
    assert kept.local.shape == (OPINIONS, *kept.values.shape[1:])
    assert found.tree is not None
    assert found.tree == kept.tree
    assert found.tree.fidelity > 0.5


def test_a_model_that_cannot_be_explained_keeps_its_metrics(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    train = impacts(seed=7)
    model = RadiusNeighborsClassifier(radius=1e-3).fit(features(train), train["label"].to_pylist())
    found = benchmark(packed(tmp_path, model, metrics=["accuracy"]), train)
    assert "No neighbors found" in found.explanation.impossible
    assert found.metrics[0].value == 1


# Models that are hard to explain


def wide(rows: int = 60, columns: int = 5_000) -> pd.DataFrame:
    return pd.DataFrame(
        np.random.default_rng(0).normal(size=(rows, columns)), columns=[f"c{n}" for n in range(columns)]
    )


def benchmarked(
    benchmark: Callable[..., BenchmarkResult], folder: Path, model: Any, frame: pd.DataFrame, **changes: Any
) -> BenchmarkResult:
    """A model fitted to tell rows whose first number is positive, benchmarked on these rows with a budget of 5 s."""
    label = np.where(np.array([np.ravel(first)[0] for first in frame.iloc[:, 0]]) > 0, "damaged", "intact")
    fields = {"example": frame.head(), "metrics": ["accuracy"], "format": "joblib"} | changes
    bundle = packed(folder, model.fit(frame, label), **fields)
    table = pa.Table.from_pandas(frame.assign(label=label), preserve_index=False)
    return benchmark(bundle, table, explained=ExplanationBudget(rows=30, seconds=5))


def test_exact_explainers_take_thousands_of_features(benchmark: Callable[..., BenchmarkResult], tmp_path: Path) -> None:
    found = benchmarked(benchmark, tmp_path, RandomForestClassifier(20, random_state=0), wide())
    assert found.metrics[0].value is not None
    assert found.explanation.available, found.explanation.impossible


def test_what_would_take_longer_than_there_is_time_says_how_long(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    found = benchmarked(benchmark, tmp_path, GaussianProcessClassifier(), wide())
    assert found.metrics[0].value is not None
    told = found.explanation
    assert told.seconds <= 5 if told.available else "The model has 5,000 features" in told.impossible


def test_signals_are_explained_as_the_columns_that_they_are(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "loudest.py"
    module.write_text(
        "import numpy as np\ndef loudest(X):\n    return np.array([[max(x), g] for x, g in X.to_numpy()])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    loudest = importlib.import_module("loudest").loudest
    random = np.random.default_rng(0)
    sound = [[value] * 5 for value in random.normal(size=80)]
    model = make_pipeline(FunctionTransformer(loudest), KNeighborsClassifier())
    frame = pd.DataFrame({"sound": sound, "grade": random.normal(size=80)})
    found = benchmarked(benchmark, tmp_path, model, frame, code=[module])
    assert found.metrics[0].value is not None
    assert found.explanation.available, found.explanation.impossible
    told = found.explanation.column_importances or found.explanation.importances
    assert [importance.feature for importance in told] == ["sound", "grade"]


def test_features_that_a_pipeline_drops_and_renames_lead_back_to_columns(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 3)), columns=["peak", "rms", "noise"])
    columns = ColumnTransformer([("both", PolynomialFeatures(2, include_bias=False), ["peak", "rms"])])
    found = benchmarked(benchmark, tmp_path, make_pipeline(columns, DecisionTreeClassifier(max_depth=2)), frame)
    told = found.explanation
    assert {importance.feature for importance in told.importances} >= {"both__peak", "both__peak^2"}
    assert told.column_importances[0].feature == "peak"
    assert "noise" not in {importance.feature for importance in told.column_importances}


def test_multiclass_with_whole_numbers_for_labels(benchmark: Callable[..., BenchmarkResult], tmp_path: Path) -> None:
    frame, label = load_iris(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=1_000).fit(frame, label)
    bundle = packed(tmp_path, model, task="multiclass", example=frame, metrics=["accuracy", "log_loss"])
    found = benchmark(bundle, pa.Table.from_pandas(frame.assign(label=label)))
    assert found.metrics[0].value == model.score(frame, label)
    assert found.confusion_matrix is not None
    assert found.confusion_matrix.classes == (0, 1, 2)


def test_a_regression_has_residuals_and_no_confusion_matrix(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    frame, target = load_diabetes(return_X_y=True, as_frame=True)
    model = LinearRegression().fit(frame, target)
    bundle = packed(tmp_path, model, task="regression", example=frame, metrics=["r2", "max_error"])
    found = benchmark(bundle, pa.Table.from_pandas(frame.assign(label=target)))
    assert found.metrics[0].value == pytest.approx(model.score(frame, target), rel=1e-12)
    assert found.confusion_matrix is None
    assert found.residuals is not None
    assert len(found.residuals.truth) == len(target)


def test_a_multilabel_model_predicts_sets_of_labels(benchmark: Callable[..., BenchmarkResult], tmp_path: Path) -> None:
    table = impacts(100)
    frame = features(table)
    truth = np.column_stack([frame["peak"] > 0, frame["rms"] > 0]).astype(int)
    model = MultiOutputClassifier(RandomForestClassifier(5, random_state=0)).fit(frame, truth)
    labels = [[name for name, on in zip(("hit", "scratch"), row, strict=True) if on] for row in truth]
    bundle = packed(
        tmp_path,
        model,
        task="multilabel",
        classes=["hit", "scratch"],
        metrics=["f1_macro", "accuracy", "roc_auc"],
        format="joblib",
    )
    found = benchmark(bundle, table.set_column(1, "label", pa.array(labels)))
    assert found.metrics[0].value == f1_score(truth, model.predict(frame), average="macro")
    assert all(value.value is not None for value in found.metrics)


def test_events_without_a_label_are_left_out(benchmark: Callable[..., BenchmarkResult], tmp_path: Path) -> None:
    table = impacts(100)
    labels = [None if number < 40 else label for number, label in enumerate(table["label"].to_pylist())]
    found = benchmark(packed(tmp_path), table.set_column(1, "label", pa.array(labels)))
    assert found.costs.predictions == 60


def test_an_author_s_own_metric_gets_truth_and_prediction(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    module = tmp_path / "own.py"
    module.write_text(
        "def missed(truth, predicted):\n"
        "    return ((truth == 'damaged') & (predicted == 'intact')).mean()\n"
        "def sure(truth, probabilities):\n"
        "    return probabilities.max(axis=1).mean()\n"
        "def broken(truth, predicted):\n"
        "    raise ZeroDivisionError('no')\n"
    )
    own = [
        {"name": "missed", "function": "own:missed", "greater_is_better": False},
        {"name": "sure", "function": "own:sure", "needs": "probabilities"},
        {"name": "broken", "function": "own:broken"},
    ]
    bundle = packed(
        tmp_path,
        code=[module],
        custom_metrics=[atlas.CustomMetric.model_validate(metric) for metric in own],
        metrics=["accuracy", "missed", "sure", "broken"],
    )
    found = {value.name: value for value in benchmark(bundle).metrics}
    assert list(found) == ["accuracy", "missed", "sure", "broken"]
    assert found["missed"].value is not None
    assert 0 < found["missed"].value < 1 - (found["accuracy"].value or 0)
    assert not found["missed"].greater_is_better
    assert found["sure"].value is not None
    assert 0.5 < found["sure"].value <= 1
    assert (found["broken"].value, found["broken"].reason) == (None, "own:broken failed: ZeroDivisionError: no")


def test_a_metric_that_needs_what_the_model_lacks_says_so(
    benchmark: Callable[..., BenchmarkResult], acting: Callable[..., Path]
) -> None:
    found = {value.name: value for value in benchmark(acting("pass", metrics=["accuracy", "log_loss"])).metrics}
    assert found["log_loss"].value is None
    assert "predict_proba" in found["log_loss"].reason
    assert found["accuracy"].value is not None


def test_libraries_of_other_versions_are_a_warning(benchmark: Callable[..., BenchmarkResult], tmp_path: Path) -> None:
    bundle = packed(tmp_path)
    assert benchmark(bundle).warnings == ()
    bundles.edited(bundle, lambda manifest: manifest["libraries"].update(numpy="1.0", unheard_of="2.0"))
    numpy = metadata.version("numpy")
    assert benchmark(bundle).warnings == (
        f"numpy 1.0 in the bundle, {numpy} here",
        "unheard_of 2.0 in the bundle, none here",
    )


@pytest.mark.system
def test_a_boosting_model_is_explained_by_its_own_library(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    lightgbm, train = needed("lightgbm"), impacts(seed=7)
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(features(train), train["label"].to_pylist())
    found = benchmark(packed(tmp_path, model, format="lightgbm"))
    assert found.explanation.method == "tree SHAP by LightGBM, path dependent"
    assert {importance.feature for importance in found.explanation.importances} == {"peak", "rms"}
    assert found.provenance.libraries["lightgbm"] == metadata.version("lightgbm")
    (group,) = found.hyperparameters
    assert group.estimator == "LightGBMBooster"
    assert set(group.chosen or ()) >= {"num_iterations"}


@pytest.mark.system
def test_what_a_model_s_file_does_not_tell_of_its_hyperparameters_is_taken_from_the_manifest(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    xgboost, train = needed("xgboost"), impacts(seed=7)
    truth = [label == "intact" for label in train["label"].to_pylist()]
    model = xgboost.XGBClassifier(n_estimators=5, max_depth=3).fit(features(train), truth)
    found = benchmark(packed(tmp_path, model, format="xgboost", classes=["damaged", "intact"]))
    of_file, of_author = found.hyperparameters
    assert (of_file.estimator, of_file.values["rounds"]) == ("XGBoostBooster", "5")
    assert (of_author.estimator, of_author.values["max_depth"]) == ("as its author says", "3")


@pytest.mark.system
def test_a_file_that_is_not_of_its_format_is_a_load_error(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    needed("lightgbm")
    bundle = packed(tmp_path)
    bundles.edited(bundle, lambda manifest: manifest["model"].update(format="lightgbm"))
    failure = failure_of(benchmark, bundle)
    assert failure.failure_class is FailureClass.LOAD_ERROR
    assert "model.skops could not be loaded" in failure.reason


def test_what_the_model_prints_is_kept(benchmark: Callable[..., BenchmarkResult], acting: Callable[..., Path]) -> None:
    assert "predicting print('and more')\nand more\n" in benchmark(acting("print('and more')")).output


@pytest.mark.parametrize(
    ("act", "failure_class", "reason"),
    [
        ("raise ValueError('odd input')", FailureClass.PREDICTION_ERROR, "ValueError: odd input"),
        ("import no_such_package", FailureClass.MISSING_PACKAGE, "no_such_package"),
        (
            "raise ModuleNotFoundError(name='xgboost.core')",
            FailureClass.MISSING_PACKAGE,
            "pip install 'atlas-benchmark[xgboost]'",
        ),
        ("raise MemoryError", FailureClass.OUT_OF_MEMORY, "memory"),
        ("np.ones(10**12)", FailureClass.OUT_OF_MEMORY, "memory"),
        ("sys.exit(3)", FailureClass.CRASH, "exit code 3"),
        ("os._exit(0)", FailureClass.CRASH, "exit code 0"),
        ("ctypes.string_at(0)", FailureClass.CRASH, "SIGSEGV"),
        ("os.kill(os.getpid(), 9)", FailureClass.PREDICTION_ERROR, "Operation not permitted"),
        ("X.drop(X.index[0], inplace=True)", FailureClass.PREDICTION_ERROR, "shape (199,), not (200,)"),
    ],
)
def test_a_model_that_fails_ends_in_a_class_with_a_reason(
    benchmark: Callable[..., BenchmarkResult],
    acting: Callable[..., Path],
    act: str,
    failure_class: FailureClass,
    reason: str,
) -> None:
    failure = failure_of(benchmark, acting(act))
    assert failure.failure_class is failure_class
    assert reason in failure.reason
    assert "predicting" in failure.output


def test_a_class_that_the_manifest_does_not_know_is_a_prediction_error(
    benchmark: Callable[..., BenchmarkResult], acting: Callable[..., Path]
) -> None:
    failure = failure_of(benchmark, acting("pass", classes=["damaged", "whole"]))
    assert failure.failure_class is FailureClass.PREDICTION_ERROR
    assert "'intact', which is not one of the manifest's classes" in failure.reason


def test_a_model_that_hangs_ends_in_a_timeout_and_leaves_no_process(
    benchmark: Callable[..., BenchmarkResult], acting: Callable[..., Path]
) -> None:
    act = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    with counting("atlas_sandbox_kills_total", {"reason": "timeout"}):
        failure = failure_of(benchmark, acting(act), limits=Limits(wall_seconds=2, memory_bytes=8 << 30))
    assert failure.failure_class is FailureClass.TIMEOUT
    assert "2 s" in failure.reason
    assert spare.MODEL not in [process.name() for process in psutil.Process().children(recursive=True)]


def test_a_benchmark_can_be_stopped(benchmark: Callable[..., BenchmarkResult], acting: Callable[..., Path]) -> None:
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    failure = failure_of(benchmark, acting("time.sleep(600)"), stop=stop)
    assert failure.failure_class is FailureClass.LOST_WORKER


@pytest.fixture
def misbehaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Bundles whose models predict well, but do something else when they are asked for what is explained."""

    def make(act: str) -> Path:
        module = tmp_path / "misbehaving.py"
        module.write_text(
            "import time\n"
            "import numpy as np\n"
            "from sklearn.linear_model import LogisticRegression\n"
            "class Misbehaving(LogisticRegression):\n"
            "    def predict(self, X):\n"
            "        return self.classes_[(X.to_numpy() @ self.coef_[0] > 0).astype(int)]\n"
            f"    def decision_function(self, X):\n        {act}\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "misbehaving", raising=False)
        train = impacts(seed=7)
        model = importlib.import_module("misbehaving").Misbehaving()
        model.fit(features(train), train["label"].to_pylist())
        return packed(tmp_path, model, code=[module], format="joblib", metrics=["accuracy"])

    return make


def test_an_explanation_that_hangs_costs_no_metrics(
    benchmark: Callable[..., BenchmarkResult], misbehaving: Callable[[str], Path]
) -> None:
    bundle = misbehaving("time.sleep(600)")
    found = benchmark(bundle, limits=Limits(wall_seconds=3, memory_bytes=8 << 30))
    assert found.metrics[0].value is not None
    assert found.explanation.impossible == "The explanation was ended. It was not done after 3 s."


def test_a_model_that_hangs_when_it_is_asked_for_more_than_shap_values_keeps_these(
    benchmark: Callable[..., BenchmarkResult], misbehaving: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicting, "EXPLANATION_GRACE_SECONDS", 0.5)
    bundle = misbehaving(
        f"if len(X) == {FIRST_ROWS}:\n            time.sleep(600)\n        return super().decision_function(X)"
    )
    found = benchmark(bundle, explained=ExplanationBudget(rows=70, seconds=3))
    assert found.explanation.available, found.explanation.impossible
    assert found.explanation.method.startswith("linear")
    assert found.explanation.tree is None


def test_an_explanation_has_time_of_its_own(
    benchmark: Callable[..., BenchmarkResult], misbehaving: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicting, "EXPLANATION_GRACE_SECONDS", 0.5)
    bundle = misbehaving("time.sleep(600)")
    found = benchmark(bundle, explained=ExplanationBudget(rows=10, seconds=1))
    assert found.metrics[0].value is not None
    assert found.explanation.impossible == "It was not done after 1 s (ATLAS_EXPLAIN_SECONDS)."
    assert found.costs.wall_seconds < 300  # of the 600 that the model sleeps


def test_an_explanation_that_eats_memory_costs_no_metrics(
    benchmark: Callable[..., BenchmarkResult], misbehaving: Callable[[str], Path]
) -> None:
    bundle = misbehaving("self.eaten = np.ones(40_000_000); time.sleep(600)")
    found = benchmark(bundle, limits=Limits(memory_bytes=8 << 30, explanation_bytes=100 << 20))
    assert found.metrics[0].value is not None
    assert found.explanation.impossible == "It needed more than 100 MiB of memory (ATLAS_EXPLAIN_MEMORY_MB)."


def test_predictions_are_what_they_were_before_the_events_to_explain_were_named(
    benchmark: Callable[..., BenchmarkResult], misbehaving: Callable[[str], Path]
) -> None:
    honest = benchmark(misbehaving("return super().decision_function(X)"))
    forged = benchmark(
        misbehaving("open('labels.f8', 'r+b').write(bytes(8 * 100)); time.sleep(600)"),
        explained=ExplanationBudget(rows=10, seconds=1),
    )
    assert forged.metrics == honest.metrics


def test_the_child_s_environment_holds_nothing_of_the_engine_s(
    benchmark: Callable[..., BenchmarkResult], acting: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://atlas:secret@db/atlas")
    output = benchmark(acting("print(dict(os.environ))")).output
    assert "HOME" in output
    assert "secret" not in output


def test_a_flood_of_output_is_cut_in_the_middle(
    benchmark: Callable[..., BenchmarkResult], acting: Callable[..., Path]
) -> None:
    output = benchmark(acting("print('first'); [print('x' * 999) for _ in range(1000)]; print('last')")).output
    assert len(output) < 140_000
    assert "first" in output
    assert "last" in output
    assert "bytes left out" in output


def test_a_dataset_without_a_column_is_a_schema_mismatch(
    benchmark: Callable[..., BenchmarkResult], tmp_path: Path
) -> None:
    failure = failure_of(benchmark, packed(tmp_path), impacts(50).drop_columns(["rms"]))
    assert failure.failure_class is FailureClass.SCHEMA_MISMATCH
    assert "rms" in failure.reason


def test_nothing_is_left_on_the_disk(
    benchmark: Callable[..., BenchmarkResult], sandbox: Sandbox, tmp_path: Path
) -> None:
    benchmark(packed(tmp_path))
    assert [path.name for path in sandbox.base.iterdir() if not path.name.startswith("zygote-")] == []


def test_a_sandbox_leaves_nothing_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Sandbox():
        assert list(tmp_path.iterdir()) != []
    assert list(tmp_path.iterdir()) == []
