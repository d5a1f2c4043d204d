import copy
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from atlas.errors import LoadError, MissingPackageError, ModelError
from atlas.formats import Meaning, format_named, format_names, format_of, load_file, registry, requirement
from atlas.vocabulary import Task
from tests import bundles


@pytest.mark.parametrize("name", ["joblib", "skops"])
def test_each_format_gives_back_what_it_wrote(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"model.{format_named(name).suffix}"
    format_named(name).dump(bundles.classifier(), path)
    np.testing.assert_array_equal(
        load_file(path, name).predict(bundles.rows()), bundles.classifier().predict(bundles.rows())
    )


def test_an_unknown_format_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="Unknown model format 'onyx'; Atlas reads catboost, joblib, lightgbm"):
        format_named("onyx")


@pytest.mark.parametrize("name", ["joblib", "skops"])
def test_a_damaged_file_is_a_load_error_that_names_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"neither a pickle nor a zip")
    with pytest.raises(LoadError, match=r"model\.bin could not be loaded"):
        load_file(path, name)


class Foreign:
    """A type that no package of `TRUSTED_ROOTS` has."""


def test_a_skops_file_may_not_name_foreign_types(tmp_path: Path) -> None:
    skops.io.dump(Foreign(), tmp_path / "model.skops")
    with pytest.raises(LoadError, match=r"Foreign.*Ship them as modules in code/, or use the format joblib"):
        load_file(tmp_path / "model.skops", "skops")


def test_a_missing_package_stays_an_import_error_for_the_caller_to_name(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(b"cnowhere_installed\nModel\n.")
    with pytest.raises(ModuleNotFoundError, match="nowhere_installed"):
        load_file(tmp_path / "model.joblib", "joblib")


def test_a_plain_pickle_is_a_joblib_file_too(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(pickle.dumps({"a": 1}))
    assert load_file(tmp_path / "model.joblib", "joblib") == joblib.load(tmp_path / "model.joblib") == {"a": 1}


OPTIONAL = ("onnx", "xgboost", "lightgbm", "catboost", "torch", "mlflow")


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_missing_library_is_named_with_the_extra_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda package: None)
    with pytest.raises(MissingPackageError, match=rf"not installed here: pip install 'atlas-benchmark\[{name}\]'"):
        load_file(tmp_path / "model.bin", name)


@pytest.mark.parametrize(
    ("package", "wanted"), [("xgboost", "atlas-benchmark[xgboost]"), ("onnxruntime", "atlas-benchmark[onnx]")]
)
def test_a_package_that_a_pickle_needs_has_its_extra(package: str, wanted: str) -> None:
    assert requirement(package) == wanted


def test_another_package_is_its_own_requirement() -> None:
    assert requirement("nowhere_installed") == "nowhere_installed"


def test_each_extra_of_a_format_exists() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert {format_named(name).requirement for name in OPTIONAL} <= {
        f"{project['name']}[{extra}]" for extra in project["optional-dependencies"]
    }


@pytest.mark.parametrize(
    ("file", "name"),
    [("m.skops", "skops"), ("m.pkl", "joblib"), ("m.onnx", "onnx"), ("m.json", "xgboost"), ("m.pt2", "torch")],
)
def test_a_file_s_suffix_says_its_format(file: str, name: str) -> None:
    assert format_of(Path(file)).name == name


def test_no_two_formats_have_one_suffix() -> None:
    suffixes = [suffix for name in format_names() for suffix in format_named(name).suffixes]
    assert len(suffixes) == len(set(suffixes))


LIBRARIES = ["onnxruntime", "xgboost", "lightgbm", "catboost", "torch", "mlflow", "shap"]


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        ("import benchmark_engine.sandbox.stages", LIBRARIES),
        (
            "from atlas.formats import *; [format_named(name) for name in format_names()]",
            [*LIBRARIES, "pandas", "scipy"],
        ),
    ],
    ids=["to run benchmarks", "to know all formats"],
)
def test_no_library_of_a_format_is_imported_before_a_model_needs_it(program: str, unwanted: list[str]) -> None:
    look = f"import sys; {program}; print([name for name in {unwanted} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


PLUGIN = """
from atlas.formats import Format
from atlas.formats.estimator import EstimatorModel

class Constant:
    def __init__(self, value):
        self.value = value

    def predict(self, rows):
        return [self.value] * len(rows)

FORMAT = Format(
    name="text", suffixes=("number",), package="text_models", libraries=(), requirement="text-models",
    dump=lambda model, path: path.write_text(str(model.value)),
    load=lambda path, own_modules: Constant(float(path.read_text())),
    adapt=EstimatorModel,
)
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that has a format of its own, one that is broken, and one that takes a name of Atlas."""
    (tmp_path / "text_models.py").write_text(PLUGIN)
    folder = tmp_path / "text_models-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: text-models\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[atlas.formats]\ntext = text_models:FORMAT\nbroken = text_models:NOWHERE\n"
        "odd = text_models:Constant\nskops = text_models:FORMAT\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_another_package_adds_a_format(plugin: Path) -> None:
    assert "text" in format_names()
    (plugin / "model.number").write_text("2.5")
    known = format_named("text")
    model = known.adapt(load_file(plugin / "model.number", "text"), Meaning(task=Task.REGRESSION))
    assert model.predict(bundles.rows(3), ()).labels.tolist() == [2.5, 2.5, 2.5]


def test_a_format_of_atlas_cannot_be_replaced(plugin: Path) -> None:
    assert format_named("skops").suffix == "skops"


@pytest.mark.parametrize(("name", "says"), [("broken", "cannot be loaded: .*NOWHERE"), ("odd", "is no atlas.formats")])
def test_a_broken_format_of_another_package_is_named(plugin: Path, name: str, says: str) -> None:
    with pytest.raises(ModelError, match=rf"The format '{name}' \(text_models:\w+\) {says}"):
        format_named(name)


def test_the_same_object_is_written_as_the_same_skops_file(tmp_path: Path) -> None:
    """So that bundles with the same pipeline are known to have it in common."""
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(bundles.rows(), bundles.labels(bundles.rows()))
    for name in ("one", "two"):
        format_named("skops").dump(copy.deepcopy(pipeline), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    again = load_file(tmp_path / "one", "skops")
    assert again.predict_proba(bundles.rows()).tolist() == pipeline.predict_proba(bundles.rows()).tolist()
