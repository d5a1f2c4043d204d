import json
import sys
from pathlib import Path
from typing import Any

import joblib
import pytest
import skops.io
from sklearn.preprocessing import StandardScaler

import atlas
from atlas.errors import LoadError, ManifestError, MissingPackageError, ModelError
from atlas.metrics import default_metrics
from atlas.recipe import Recipe, pack_recipe, read_recipe
from atlas.vocabulary import Task
from tests import bundles


@pytest.fixture
def fields(tmp_path: Path) -> dict[str, Any]:
    """The least that a recipe needs, with paths as they stand in a file in `tmp_path`."""
    joblib.dump(bundles.classifier(), tmp_path / "model.joblib")
    bundles.rows().head().to_csv(tmp_path / "rows.csv", index=False)
    return {
        "model": "model.joblib",
        "name": "Detector",
        "version": "1.0.0",
        "use_case": "damage detector",
        "task": "binary",
        "author": "Ada Lovelace <ada@example.com>",
        "tags": ["crash-tests"],
        "example": "rows.csv",
    }


def recipe(tmp_path: Path, fields: dict[str, Any], **changes: Any) -> Recipe:
    config = tmp_path / "recipe.json"
    config.write_text(json.dumps({**fields, **changes}))
    return read_recipe(config, {})


def test_metrics_are_the_usual_ones_of_the_task_if_none_are_named(tmp_path: Path, fields: dict[str, Any]) -> None:
    path = pack_recipe(recipe(tmp_path, fields), tmp_path)
    assert atlas.inspect(path).metrics == default_metrics(Task.BINARY)


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path, fields: dict[str, Any]) -> None:
    found = recipe(tmp_path, fields, code=["own.py"])
    assert (found.model, found.code) == (tmp_path / "model.joblib", (tmp_path / "own.py",))


def test_an_option_that_is_not_given_leaves_the_files_field(tmp_path: Path, fields: dict[str, Any]) -> None:
    config = tmp_path / "recipe.json"
    config.write_text(json.dumps(fields))
    found = read_recipe(config, {"name": None, "version": "2.0"})
    assert (found.name, found.version) == ("Detector", "2.0")


def test_all_that_a_bundle_can_hold_comes_from_a_recipe(tmp_path: Path, fields: dict[str, Any]) -> None:
    joblib.dump(StandardScaler().fit(bundles.rows()), tmp_path / "pipeline.joblib")
    bundles.rows().to_parquet(tmp_path / "training.parquet")
    (tmp_path / "costs.py").write_text("def cost(truth, prediction):\n    return 0.0\n")
    changes: dict[str, Any] = {
        "pipeline": "pipeline.joblib",
        "reference": "training.parquet",
        "code": ["costs.py"],
        "custom_metrics": [{"name": "cost", "function": "costs:cost"}],
        "metrics": ["f1", "cost"],
        "primary_metric": "cost",
        "target": "damage",
        "classes": ["hit", "none"],
        "hyperparameters": {"C": 2},
        "slices": ["speed_kmh"],
        "author": {"name": "Ada", "email": "ada@example.com"},
        "data_window": {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"},
        "limits": {"threads": 2},
    }
    manifest = atlas.inspect(pack_recipe(recipe(tmp_path, fields, **changes), tmp_path))
    assert set(manifest.members) == {"model.joblib", "pipeline.joblib", "code/costs.py", "reference.parquet"}
    assert (manifest.primary_metric, manifest.target, manifest.hyperparameters) == ("cost", "damage", {"C": 2})
    assert manifest.data_window is not None
    assert manifest.limits is not None and manifest.limits.threads == 2
    assert manifest.slices == ("speed_kmh",)


def test_a_model_may_need_modules_that_are_given_as_code(
    tmp_path: Path, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "own_steps.py").write_text(
        "from sklearn.linear_model import LogisticRegression as Base\n\n\nclass Own(Base):\n    pass\n"
    )
    with monkeypatch.context() as patch:
        patch.syspath_prepend(folder)
        from own_steps import Own  # type: ignore[import-not-found]

        skops.io.dump(Own().fit(bundles.rows(), bundles.labels(bundles.rows())), tmp_path / "model.skops")
    monkeypatch.delitem(sys.modules, "own_steps")

    with pytest.raises(LoadError, match=r"own_steps\.Own"):
        pack_recipe(recipe(tmp_path, fields, model="model.skops"), tmp_path)
    path = pack_recipe(recipe(tmp_path, fields, model="model.skops", code=["project/own_steps.py"]), tmp_path)
    assert atlas.inspect(path).model.format == "skops"


def test_a_missing_package_is_named(tmp_path: Path, fields: dict[str, Any]) -> None:
    (tmp_path / "model.joblib").write_bytes(b"cnowhere_installed\nModel\n.")
    with pytest.raises(MissingPackageError, match=r"model\.joblib needs nowhere_installed: install it"):
        pack_recipe(recipe(tmp_path, fields), tmp_path)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"model": "nowhere.joblib"}, ModelError, r"There is no file .*nowhere\.joblib"),
        ({"model": "rows.csv"}, ModelError, r"rows\.csv: a file that ends in \.cbm, \.joblib, .* or \.zip is wanted"),
        ({"example": "nowhere.csv"}, ManifestError, r"pack: example: .*nowhere\.csv cannot be read as CSV or Parquet"),
        ({"reference": "rows.csv.gz"}, ManifestError, "pack: reference: .*cannot be read as CSV or Parquet"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, fields: dict[str, Any], changes: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        pack_recipe(recipe(tmp_path, fields, **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[1]", r"recipe\.yaml: fields with their values are wanted, not a list"),
        ("a: [", r"recipe\.yaml is neither YAML nor JSON"),
        ("colour: red", "recipe.yaml and the options: .*missing; colour: no such field"),
        ("code: own.py", "code: a list is wanted, not 'own.py'"),
        ("!!python/object/apply:os.getcwd []", "neither YAML nor JSON"),
    ],
)
def test_a_wrong_recipe_is_one_clear_message(tmp_path: Path, content: str, says: str) -> None:
    config = tmp_path / "recipe.yaml"
    config.write_text(content)
    with pytest.raises(ManifestError, match=says) as caught:
        read_recipe(config, {})
    assert "\n" not in str(caught.value)
