"""One model of every kind that Atlas benchmarks, and the table of them: `python -m tests.coverage` writes it."""

import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.cross_decomposition import CCA, PLSCanonical
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - what scikit-learn wants for the search
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

import atlas
from atlas.bundle import load_model, load_part, unpack
from atlas.metrics import default_metrics
from atlas.vocabulary import Task
from explainability.attribution import ImpossibleError
from explainability.explaining import explain
from tests.libraries import needed
from tests.samples import NOON

TABLE = Path(__file__).parent.parent / "docs/reference/coverage.md"
ROWS = 120
COLUMNS = ("peak", "rms", "speed", "duration")
CLASSES = ("dent", "none", "scratch")
OWN_MODULE = "signals"
OWN_CODE = '''import numpy as np


def loudness(frame):
    """The last step before the model, written by the model's author."""
    return np.log1p(frame)
'''

BINARY, MULTICLASS, MULTILABEL, REGRESSION = Task
Fit = Callable[[pd.DataFrame, Any], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of model.

    Attributes:
        group: the heading that it stands under.
        name: of the model.
        task: what it predicts.
        format: how its bundle holds it.
        fit: fits one and gives what `atlas.pack` is to be told about it, beside the usual.
    """

    group: str
    name: str
    task: Task
    fit: Fit
    format: str = "skops"


def events(task: Task) -> tuple[pd.DataFrame, Any]:
    """Events with positive features, and their labels or values."""
    frame = pd.DataFrame(np.random.default_rng(0).gamma(2.0, size=(ROWS, len(COLUMNS))), columns=list(COLUMNS))
    loud = frame["peak"] + frame["rms"]
    if task is REGRESSION:
        return frame, loud.to_numpy() + 0.1
    if task is MULTILABEL:
        return frame, np.column_stack([frame["peak"] > 2, frame["rms"] > 2]).astype(int)
    if task is BINARY:
        return frame, np.where(loud > 4, "dent", "none")
    return frame, np.asarray(CLASSES)[np.digitize(loud, [3, 5])]


def cases() -> Iterator[Case]:
    """All of them, by group."""
    yield from _estimators("scikit-learn's classifiers", "classifier", MULTICLASS)
    yield from _estimators("scikit-learn's regressors", "regressor", REGRESSION)
    yield from _of_others()
    yield from _composed()
    yield from _other_formats()


# scikit-learn -------------------------------------------------------------------------------------------------------

INNER: dict[str, Callable[[], Any]] = {
    "ClassifierChain": lambda: ClassifierChain(LogisticRegression()),
    "FixedThresholdClassifier": lambda: FixedThresholdClassifier(LogisticRegression()),
    "MultiOutputClassifier": lambda: MultiOutputClassifier(LogisticRegression()),
    "MultiOutputRegressor": lambda: MultiOutputRegressor(Ridge()),
    "OneVsOneClassifier": lambda: OneVsOneClassifier(LogisticRegression()),
    "OneVsRestClassifier": lambda: OneVsRestClassifier(LogisticRegression()),
    "OutputCodeClassifier": lambda: OutputCodeClassifier(LogisticRegression(), random_state=0),
    "RegressorChain": lambda: RegressorChain(Ridge()),
    "SelfTrainingClassifier": lambda: SelfTrainingClassifier(LogisticRegression()),
    "StackingClassifier": lambda: StackingClassifier(_two_classifiers()),
    "StackingRegressor": lambda: StackingRegressor(_two_regressors()),
    "TunedThresholdClassifierCV": lambda: TunedThresholdClassifierCV(LogisticRegression()),
    "VotingClassifier": lambda: VotingClassifier(_two_classifiers(), voting="soft"),
    "VotingRegressor": lambda: VotingRegressor(_two_regressors()),
}
"""Estimators that cannot be built without another."""
TASKS = {
    "ClassifierChain": MULTILABEL,
    "FixedThresholdClassifier": BINARY,
    "MultiOutputClassifier": MULTILABEL,
    "TunedThresholdClassifierCV": BINARY,
}
"""Estimators for another task than their kind's."""
GIVEN: dict[str, Callable[[Any], Any]] = {
    "MultiOutputRegressor": lambda target: target[:, None],
    "MultiTaskElasticNet": lambda target: target[:, None],
    "MultiTaskElasticNetCV": lambda target: target[:, None],
    "MultiTaskLasso": lambda target: target[:, None],
    "MultiTaskLassoCV": lambda target: target[:, None],
    "RegressorChain": lambda target: target[:, None],
    "SelfTrainingClassifier": lambda target: target.astype(object),
}
"""Estimators that take the target in a form of their own."""
ONE_COMPONENT = {"CCA": CCA, "PLSCanonical": PLSCanonical}
"""Regressors whose default is more components than there are targets."""


def _two_classifiers() -> list[tuple[str, Any]]:
    return [("forest", RandomForestClassifier(5, random_state=0)), ("linear", LogisticRegression())]


def _two_regressors() -> list[tuple[str, Any]]:
    return [("forest", RandomForestRegressor(5, random_state=0)), ("linear", Ridge())]


def _built(name: str, kind: type) -> Any:
    if name in ONE_COMPONENT:
        return ONE_COMPONENT[name](n_components=1)
    return kind()


def _estimators(group: str, kind: str, task: Task) -> Iterator[Case]:
    """Every one that can be built with defaults."""
    for name, found in all_estimators(type_filter=kind):
        if name not in INNER:
            yield Case(
                group=group, name=name, task=task, fit=partial(_fit_estimator, name, partial(_built, name, found))
            )


def _of_others() -> Iterator[Case]:
    for name, build in INNER.items():
        task = TASKS.get(name, REGRESSION if "Regressor" in name else MULTICLASS)
        yield Case(group="Estimators made of others", name=name, task=task, fit=partial(_fit_estimator, name, build))


def _fit_estimator(name: str, build: Callable[[], Any], frame: pd.DataFrame, target: Any) -> dict[str, Any]:
    if name == "IsotonicRegression":
        frame = frame[["peak"]]
    model = build().fit(frame, GIVEN.get(name, lambda column: column)(target))
    labels = {"classes": ["dent", "scratch"]} if TASKS.get(name) is MULTILABEL else {}
    return {"model": model, "example": frame.head(), **labels}


def _columns() -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("scaled", StandardScaler(), ["peak", "rms"]),
            ("binned", KBinsDiscretizer(quantile_method="linear"), ["speed"]),
        ]
    )


def _composed() -> Iterator[Case]:
    grid = {"max_depth": [2, 3]}
    tree = partial(DecisionTreeClassifier, random_state=0)
    models: dict[str, Callable[[], Any]] = {
        "ColumnTransformer, then a classifier": lambda: make_pipeline(_columns(), LogisticRegression()),
        "FeatureUnion, then a classifier": lambda: make_pipeline(
            FeatureUnion([("all", "passthrough"), ("scaled", StandardScaler())]), tree()
        ),
        "calibrated support vector machine": lambda: CalibratedClassifierCV(LinearSVC(random_state=0), cv=3),
        "stack with a pipeline inside": lambda: StackingClassifier(
            [("columns", make_pipeline(_columns(), tree())), *_two_classifiers()], cv=3
        ),
        "vote by labels": lambda: VotingClassifier(_two_classifiers(), voting="hard"),
        "grid search": lambda: GridSearchCV(tree(), grid, cv=3),
        "random search over a pipeline": lambda: RandomizedSearchCV(
            make_pipeline(StandardScaler(), SVC()), {"svc__C": [0.1, 1.0]}, n_iter=2, cv=3, random_state=0
        ),
        "search by successive halving": lambda: HalvingGridSearchCV(tree(), grid, cv=3, random_state=0),
        "one-vs-rest over a calibrated pipeline": lambda: OneVsRestClassifier(
            CalibratedClassifierCV(make_pipeline(StandardScaler(), LinearSVC(random_state=0)), cv=3)
        ),
    }
    for name, build in models.items():
        yield Case(group="Composed models", name=name, task=MULTICLASS, fit=partial(_fit_estimator, name, build))
    for name, task, fit, form in (
        ("regression of a transformed target", REGRESSION, _fit_transformed_target, "joblib"),
        ("FunctionTransformer with a function in code/, as skops", MULTICLASS, _fit_own_function, "skops"),
        ("FunctionTransformer with a function in code/, as joblib", MULTICLASS, _fit_own_function, "joblib"),
        ("pipeline of its own in the bundle", MULTICLASS, _fit_beside_a_pipeline, "skops"),
        ("texts as a feature", BINARY, _fit_texts, "joblib"),
    ):
        yield Case(group="Composed models", name=name, task=task, fit=fit, format=form)


def _fit_transformed_target(frame: pd.DataFrame, target: Any) -> dict[str, Any]:
    return {"model": TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp).fit(frame, target)}


def _fit_own_function(frame: pd.DataFrame, target: Any) -> dict[str, Any]:
    own = needed(OWN_MODULE)
    model = make_pipeline(FunctionTransformer(own.loudness), LogisticRegression()).fit(frame, target)
    return {"model": model, "code": [own.__file__]}


def _fit_beside_a_pipeline(frame: pd.DataFrame, target: Any) -> dict[str, Any]:
    pipeline = _columns().fit(frame)
    return {"model": RandomForestClassifier(5).fit(pipeline.transform(frame), target), "pipeline": pipeline}


def _fit_texts(frame: pd.DataFrame, target: Any) -> dict[str, Any]:
    cars = with_car(frame)
    columns = ColumnTransformer([("car", OneHotEncoder(), ["car"])], remainder="passthrough")
    return {"model": make_pipeline(columns, LogisticRegression()).fit(cars, target), "example": cars.head()}


def with_car(frame: pd.DataFrame) -> pd.DataFrame:
    """The events with a column of texts."""
    return frame.assign(car=np.where(frame.index % 2, "A1", "B2"))


# Formats of other libraries -----------------------------------------------------------------------------------------


def _other_formats() -> Iterator[Case]:
    made: tuple[tuple[str, str, Task, Fit], ...] = (
        ("onnx", "scikit-learn's logistic regression", MULTICLASS, _fit_onnx(LogisticRegression)),
        ("onnx", "scikit-learn's linear support vector machine", BINARY, _fit_onnx(LinearSVC)),
        ("onnx", "scikit-learn's random forest", REGRESSION, _fit_onnx(RandomForestRegressor)),
        ("onnx", "network with logits, for one row at a time", BINARY, _fit_onnx_network),
        ("xgboost", "XGBClassifier", MULTICLASS, _fit_boosting("xgboost", "XGBClassifier", as_numbers=True)),
        ("xgboost", "XGBRegressor", REGRESSION, _fit_boosting("xgboost", "XGBRegressor")),
        ("xgboost", "Booster", BINARY, _fit_xgboost_booster),
        ("joblib", "XGBRegressor", REGRESSION, _fit_boosting("xgboost", "XGBRegressor")),
        ("lightgbm", "LGBMClassifier", MULTICLASS, _fit_boosting("lightgbm", "LGBMClassifier", verbose=-1)),
        ("lightgbm", "LGBMClassifier", BINARY, _fit_boosting("lightgbm", "LGBMClassifier", verbose=-1)),
        ("lightgbm", "LGBMRegressor", REGRESSION, _fit_boosting("lightgbm", "LGBMRegressor", verbose=-1)),
        ("joblib", "LGBMClassifier", MULTICLASS, _fit_boosting("lightgbm", "LGBMClassifier", verbose=-1)),
        ("catboost", "CatBoostClassifier", MULTICLASS, _fit_boosting("catboost", "CatBoostClassifier", **QUIET)),
        ("catboost", "CatBoostClassifier", BINARY, _fit_boosting("catboost", "CatBoostClassifier", **QUIET)),
        ("catboost", "CatBoostRegressor", REGRESSION, _fit_boosting("catboost", "CatBoostRegressor", **QUIET)),
        ("joblib", "CatBoostClassifier", MULTICLASS, _fit_boosting("catboost", "CatBoostClassifier", **QUIET)),
        ("torch", "network of torch.export, with logits", MULTICLASS, _fit_exported),
        ("torch", "TorchScript, with logits", BINARY, _fit_scripted),
        ("torch", "TorchScript", REGRESSION, _fit_scripted),
        ("mlflow", "scikit-learn's random forest", MULTICLASS, _fit_mlflow),
        ("mlflow", "scikit-learn's random forest", REGRESSION, _fit_mlflow),
    )
    for form, name, task, fit in made:
        yield Case(group="Formats of other libraries", name=name, task=task, fit=fit, format=form)


QUIET: dict[str, Any] = {"verbose": 0, "allow_writing_files": False}


def _fit_boosting(library: str, estimator: str, *, as_numbers: bool = False, **parameters: Any) -> Fit:
    """A boosting model of ten rounds; XGBoost wants classes to be numbers."""

    def fit(frame: pd.DataFrame, target: Any) -> dict[str, Any]:
        model = getattr(needed(library), estimator)(n_estimators=10, **parameters)
        names, numbers = np.unique(target, return_inverse=True)
        model.fit(frame, numbers if as_numbers else target)
        return {"model": model, "classes": names.tolist()} if as_numbers else {"model": model}

    return fit


def _fit_xgboost_booster(frame: pd.DataFrame, target: Any) -> dict[str, Any]:
    xgboost = needed("xgboost")
    data = xgboost.DMatrix(frame, (target == "none").astype(int))
    return {"model": xgboost.train({"objective": "binary:logistic"}, data, 10), "classes": ["dent", "none"]}


def _fit_onnx(kind: Callable[[], Any]) -> Fit:
    def fit(frame: pd.DataFrame, target: Any) -> dict[str, Any]:
        values = frame.to_numpy("f4")
        model = kind().fit(values, target)
        classes = {"classes": model.classes_.tolist()} if hasattr(model, "classes_") else {}
        return {"model": needed("skl2onnx").to_onnx(model, values[:1]), **classes}

    return fit


def network(frame: pd.DataFrame, target: Any) -> Any:
    """A network of one hidden layer: of one output for values, and for each of several classes."""
    torch = needed("torch")
    torch.manual_seed(0)
    outputs = 1 if target.dtype.kind == "f" or len(set(target)) == 2 else len(set(target))
    return torch.nn.Sequential(torch.nn.Linear(frame.shape[1], 8), torch.nn.ReLU(), torch.nn.Linear(8, outputs))


def _said(target: Any) -> dict[str, Any]:
    return {} if target.dtype.kind == "f" else {"classes": np.unique(target).tolist(), "outputs": "logits"}


def _fit_exported(frame: pd.DataFrame, target: Any) -> dict[str, Any]:
    torch = needed("torch")
    rows = torch.export.Dim("rows")
    example = (torch.from_numpy(frame.head().to_numpy("f4", copy=True)),)
    return {
        "model": torch.export.export(network(frame, target), example, dynamic_shapes=({0: rows},)),
        **_said(target),
    }


def _fit_scripted(frame: pd.DataFrame, target: Any) -> dict[str, Any]:
    return {"model": needed("torch").jit.script(network(frame, target)), **_said(target)}


def _fit_onnx_network(frame: pd.DataFrame, target: Any) -> dict[str, Any]:
    helper, arrays = needed("onnx.helper"), needed("onnx.numpy_helper")
    weights = np.random.default_rng(0).normal(size=(frame.shape[1], 1)).astype("f4")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["logit"])],
        "network",
        [helper.make_tensor_value_info("x", 1, [1, frame.shape[1]])],
        [helper.make_tensor_value_info("logit", 1, [1, 1])],
        [arrays.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return {"model": model.SerializeToString(), **_said(target)}


def _fit_mlflow(frame: pd.DataFrame, target: Any) -> dict[str, Any]:
    kind = RandomForestRegressor if target.dtype.kind == "f" else RandomForestClassifier
    folder = Path(tempfile.mkdtemp()) / "model"
    needed("mlflow.sklearn").save_model(
        kind(5, random_state=0).fit(frame, target),
        folder,
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
    )
    return {"model": folder} | ({} if target.dtype.kind == "f" else {"classes": np.unique(target).tolist()})


# Explanations -------------------------------------------------------------------------------------------------------


def fitted(case: Case) -> dict[str, Any]:
    """What `atlas.pack` is told of a model; that models do not converge on a handful of events is no matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return case.fit(*events(case.task))


def packed(case: Case, told: dict[str, Any], folder: Path) -> Path:
    """The bundle of a fitted model."""
    frame, _ = events(case.task)
    usual: dict[str, Any] = {
        "destination": folder,
        "name": "Model",
        "version": "1.0.0",
        "use_case": "coverage",
        "task": case.task,
        "author": ("Ines Prado", "ines@example.org"),
        "tags": ["impacts"],
        "metrics": default_metrics(case.task),
        "example": frame.head(),
        "format": case.format,
        "created": NOON,
    }
    return atlas.pack(**(usual | told))


def explanation(case: Case, folder: Path) -> str:
    """By what a model of this kind is explained in this process, as `said` has it."""
    bundle = packed(case, fitted(case), folder)
    manifest = unpack(bundle, folder / "bundle")
    rows = with_car(events(case.task)[0])[[column.name for column in manifest.input_schema]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return explain(
                load_model(folder / "bundle", manifest),
                load_part(folder / "bundle", manifest.pipeline) if manifest.pipeline else None,
                rows,
                background=rows,
                background_kind="data",
                task=case.task,
                classes=manifest.classes,
                target="loudness",
                seconds=30,
            ).method
        except ImpossibleError as error:
            return said("", str(error))


def said(method: str, reason: str) -> str:
    """How a cell of the table says it; a reason without what the model itself said."""
    return method or f"not possible: {reason.partition(':')[0].rstrip('.')}"


# The table ----------------------------------------------------------------------------------------------------------

COLUMNS_OF_TABLE = ("Model", "Task", "Format", "Explained by")


def explanations() -> Iterator[str]:
    """By what each of the models is explained, found out by explaining it."""
    with tempfile.TemporaryDirectory() as own:
        (Path(own) / f"{OWN_MODULE}.py").write_text(OWN_CODE)
        sys.path.insert(0, own)
        for case in cases():
            with tempfile.TemporaryDirectory() as folder:
                yield explanation(case, Path(folder))


def explanations_in_documents() -> tuple[str, ...]:
    """The same, as the document says it."""
    rows = [line.split(" | ") for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    return tuple(row[-1].removesuffix(" |") for row in rows if len(row) == len(COLUMNS_OF_TABLE) and row[1] != "Task")


def table(explained: Iterable[str]) -> str:
    """The document of what is run, and by what each model is explained."""
    found = list(zip(cases(), explained, strict=True))
    possible = sum(not text.startswith("not possible") for _, text in found)
    lines = [
        "# What Atlas is tested to benchmark",
        "",
        "`make test-system` packs one model of each of these kinds, runs it in the benchmark engine's sandbox, and",
        "fails unless all are done, and each is [explained](../explanation/explanations.md) by what it says here:",
        f"{possible} of {len(found)} are, and the others have a reason. `python -m tests.coverage` writes this page",
        "from the list of the tests.",
    ]
    for group, members in groupby(found, key=lambda each: each[0].group):
        lines += ["", f"## {group}", "", _row(COLUMNS_OF_TABLE), _row(["---"] * len(COLUMNS_OF_TABLE)).replace(" ", "")]
        lines += [_row([case.name, case.task, f"`{case.format}`", text]) for case, text in members]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    TABLE.write_text(table(explanations()))
