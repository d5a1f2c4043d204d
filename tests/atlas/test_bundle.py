import json
import pickle
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import atlas
from atlas.bundle import load_model, load_part, unpack
from atlas.errors import BundleError, LoadError, ManifestError, MemberError, ModelError
from atlas.limits import ModelLimits
from tests import bundles
from tests.libraries import needed

INSPECTING = """
import json, sys

seen = []
sys.addaudithook(lambda event, _: seen.append(event))
import atlas.bundle

manifest = atlas.bundle.inspect(sys.argv[1])
dangerous = {"pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.fork", "marshal.load"}
loaded = {"joblib", "skops", "sklearn", "pandas", "pyarrow", "shap", "django", "cloudpickle"} & sys.modules.keys()
print(json.dumps({"name": manifest.name, "events": sorted(dangerous & set(seen)), "modules": sorted(loaded)}))
"""


def raised(path: Path) -> BundleError:
    with pytest.raises(BundleError) as caught:
        atlas.inspect(path)
    return caught.value


# What is packed comes back -------------------------------------------------------------------------------------------


def test_inspect_gives_back_what_was_packed(tmp_path: Path) -> None:
    window = atlas.DataWindow(start=bundles.PACKED, end=bundles.PACKED)
    record = atlas.TrainingRecord(query_id="q-1", digest="a" * 64, rows=40, date=bundles.PACKED, duration_seconds=1.5)
    path = bundles.packed(
        tmp_path,
        tags=["crash-tests", "city"],
        primary_metric="accuracy",
        target="damage",
        training=record,
        data_window=window,
        hyperparameters={"C": 0.5, "layers": [8, 4]},
        limits={"wall_seconds": 60, "memory_mb": 512},
    )
    manifest = atlas.inspect(path)
    assert path.name == "Detector-1.0.0-1767323045.atlas"
    assert manifest.name == "Detector-1.0.0-1767323045"
    assert (manifest.version, manifest.use_case, manifest.task) == ("1.0.0", "damage detector", "binary")
    assert manifest.author == atlas.Author(name="Ada Lovelace", email="ada@example.com")
    assert manifest.tags == ("crash-tests", "city")
    assert manifest.metrics == ("f1", "accuracy")
    assert (manifest.primary_metric, manifest.target, manifest.classes) == ("accuracy", "damage", ("hit", "none"))
    assert [(column.name, column.dtype) for column in manifest.input_schema] == [
        ("peak", "double"),
        ("duration", "double"),
    ]
    assert (manifest.training, manifest.data_window, manifest.created) == (record, window, bundles.PACKED)
    assert manifest.hyperparameters == {"C": 0.5, "layers": [8, 4]}
    assert manifest.limits == ModelLimits(wall_seconds=60, memory_mb=512)


def test_slices_are_those_of_cars_and_environments_unless_others_are_named(tmp_path: Path) -> None:
    assert atlas.inspect(bundles.packed(tmp_path)).slices == ("car", "environment")
    assert atlas.inspect(bundles.packed(tmp_path, slices=["speed_kmh"])).slices == ("speed_kmh",)
    assert atlas.inspect(bundles.packed(tmp_path, slices=[])).slices == ()


@pytest.mark.parametrize("written_as", ["skops", "joblib"])
def test_model_and_pipeline_predict_the_same_after_a_round_trip(tmp_path: Path, written_as: str) -> None:
    raw = bundles.rows()
    scaler = StandardScaler().fit(raw)
    model = RandomForestClassifier(n_estimators=5, random_state=0).fit(scaler.transform(raw), bundles.labels(raw))
    path = bundles.packed(tmp_path, model, pipeline=scaler, format=written_as)

    manifest = unpack(path, tmp_path / "unpacked")
    assert (manifest.model.member, manifest.model.format) == (f"model.{written_as}", written_as)
    assert manifest.pipeline is not None
    again = load_part(tmp_path / "unpacked", manifest.model)
    features = load_part(tmp_path / "unpacked", manifest.pipeline).transform(raw)
    np.testing.assert_array_equal(again.predict_proba(features), model.predict_proba(scaler.transform(raw)))


def test_code_and_reference_are_unpacked_as_they_were(tmp_path: Path) -> None:
    source = tmp_path / "costs.py"
    source.write_text("def cost(truth, prediction):\n    return 1.0\n")
    metric = atlas.CustomMetric(name="cost", function="costs:cost", greater_is_better=False)
    path = bundles.packed(
        tmp_path, code=[source], reference=bundles.rows(), custom_metrics=[metric], metrics=["cost", "f1"]
    )
    manifest = unpack(path, tmp_path / "unpacked")
    assert manifest.custom_metrics == (metric,)
    assert (tmp_path / "unpacked/code/costs.py").read_bytes() == source.read_bytes()
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "unpacked/reference.parquet"), bundles.rows())


def test_a_skops_model_may_use_the_authors_own_modules_and_no_others(tmp_path: Path, monkeypatch: Any) -> None:
    source = tmp_path / "ownmodel.py"
    source.write_text(
        "from sklearn.linear_model import LogisticRegression\n\nclass Own(LogisticRegression):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import ownmodel  # type: ignore[import-not-found]

    model = ownmodel.Own().fit(bundles.rows(), bundles.labels(bundles.rows()))
    with_code = tmp_path / "with"
    manifest = unpack(bundles.packed(tmp_path, model, format="skops", code=[source]), with_code)
    assert isinstance(load_part(with_code, manifest.model), ownmodel.Own)
    assert manifest.framework.version == "own code"

    without = tmp_path / "without"
    manifest = unpack(bundles.packed(tmp_path, model, format="skops"), without)
    with pytest.raises(LoadError, match=r"ownmodel\.Own.*code/"):
        load_part(without, manifest.model)


@given(
    use_case=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=50
    ),
    classes=st.lists(
        st.integers() | st.text(st.characters(exclude_categories=["Cc", "Cs"])), min_size=2, max_size=5, unique_by=str
    ),
    hyperparameters=st.dictionaries(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    ),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_packed_comes_back(
    tmp_path: Path, use_case: str, classes: list[int | str], hyperparameters: dict[str, Any]
) -> None:
    path = bundles.packed(
        tmp_path,
        model=LinearRegression(),
        task="multiclass",
        metrics=["accuracy"],
        use_case=use_case,
        classes=classes,
        hyperparameters=hyperparameters,
    )
    manifest = atlas.inspect(path)
    assert (manifest.use_case, list(manifest.classes)) == (use_case, classes)
    assert manifest.hyperparameters == hyperparameters


def test_hyperparameters_are_taken_from_the_model_as_json_can_hold_them(tmp_path: Path) -> None:
    model = make_pipeline(
        SimpleImputer(missing_values=np.nan), MLPClassifier(hidden_layer_sizes=(8, np.int64(4)), max_iter=5)
    )
    found = atlas.inspect(bundles.packed(tmp_path, model, classes=["hit", "none"])).hyperparameters
    assert found["mlpclassifier__hidden_layer_sizes"] == [8, 4]
    assert found["simpleimputer__missing_values"] == "nan"
    assert "mlpclassifier" not in found


def test_a_manifest_records_framework_and_library_versions(tmp_path: Path) -> None:
    import sklearn

    manifest = atlas.inspect(bundles.packed(tmp_path))
    assert (manifest.framework.name, manifest.framework.version) == ("scikit-learn", sklearn.__version__)
    assert manifest.libraries["numpy"] == np.__version__


def test_a_source_file_older_than_zip_files_can_be_packed(tmp_path: Path) -> None:
    import os

    source = tmp_path / "old.py"
    source.touch()
    os.utime(source, (0, 0))
    assert "code/old.py" in atlas.inspect(bundles.packed(tmp_path, code=[source])).members


def test_a_disk_that_fills_up_leaves_no_half_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    with pytest.raises(OSError, match="No space left"):
        bundles.packed(tmp_path)
    assert not list(tmp_path.iterdir())


# What pack refuses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "My detector"}, "pack: name: a name of at most 128 letters.*'My detector-1.0.0-1767323045'"),
        ({"tags": "crash"}, "pack: tags: a list is wanted, not 'crash'"),
        ({"tags": []}, "pack: tags: at least 1"),
        ({"metrics": ["acuracy"]}, "'acuracy'; did you mean 'accuracy'"),
        ({"task": "clustering"}, "pack: task: .*'clustering'"),
        ({"author": ("Ada", "nowhere")}, "pack: author.email: an e-mail address"),
        ({"example": [1, 2]}, "pack: example: a pandas data frame is wanted, not list"),
        ({"example": pd.DataFrame({"a": [1, "x"]})}, "pack: example: .*values of one type"),
        ({"example": pd.DataFrame({"label": [1]})}, "'label' is the target"),
        ({"reference": 5}, "pack: reference: a pandas data frame"),
        ({"use_case": "a\0b"}, "NUL"),
        ({"code": ["nowhere.py"]}, r"pack: code: nowhere\.py is not a Python file"),
        ({"classes": ["a", "b", "c"]}, "a binary model has two, not 3"),
    ],
)
def test_pack_refuses_a_wrong_argument_by_name(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ManifestError, match=says):
        bundles.packed(tmp_path, **changes)
    assert not list(tmp_path.iterdir())


def test_pack_refuses_two_source_files_of_one_name(tmp_path: Path) -> None:
    sources = [tmp_path / folder / "own.py" for folder in "ab"]
    for source in sources:
        source.parent.mkdir()
        source.touch()
    with pytest.raises(ManifestError, match=r"would both be code/own\.py"):
        bundles.packed(tmp_path, code=sources)


def test_pack_asks_for_the_classes_of_a_model_that_does_not_say(tmp_path: Path) -> None:
    raw = bundles.rows()
    several = MultiOutputClassifier(LogisticRegression()).fit(
        raw, np.column_stack([raw["peak"] > 0, raw["duration"] > 0])
    )
    with pytest.raises(ManifestError, match="classes: a multilabel model needs at least two"):
        bundles.packed(tmp_path, several, task="multilabel", metrics=["f1_macro"])


@pytest.mark.parametrize("written_as", ["skops", "joblib"])
def test_pack_says_when_a_format_cannot_hold_the_model(tmp_path: Path, written_as: str) -> None:
    model = bundles.classifier()
    model.callback = (line for line in "")
    with pytest.raises(ModelError, match=f"LogisticRegression cannot be written as {written_as}"):
        bundles.packed(tmp_path, model, format=written_as)


def test_pack_names_the_formats_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'onyx'; Atlas reads catboost, joblib, lightgbm"):
        bundles.packed(tmp_path, format="onyx")


# Files and formats of other libraries ---------------------------------------------------------------------------------


def test_a_file_is_packed_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "fitted.pkl"
    file.write_bytes(pickle.dumps(bundles.classifier()))
    path = bundles.packed(tmp_path, file, format=None)
    manifest = atlas.inspect(path)
    assert (manifest.model.member, manifest.model.format) == ("model.pkl", "joblib")
    assert bundles.members(path)["model.pkl"] == file.read_bytes()
    assert (manifest.classes, manifest.framework.name) == (("hit", "none"), "scikit-learn")


def test_a_path_may_be_a_text(tmp_path: Path) -> None:
    joblib.dump(bundles.classifier(), tmp_path / "fitted.joblib")
    assert atlas.inspect(bundles.packed(tmp_path, str(tmp_path / "fitted.joblib"))).model.member == "model.joblib"


@pytest.mark.system
def test_a_model_of_another_library_is_in_its_own_format_beside_a_pipeline_in_skops(tmp_path: Path) -> None:
    lightgbm = needed("lightgbm")
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(bundles.rows(), bundles.labels(bundles.rows()))
    path = bundles.packed(tmp_path, model, format="lightgbm", pipeline=StandardScaler().fit(bundles.rows()))
    manifest = unpack(path, tmp_path / "unpacked")
    assert set(manifest.members) == {"model.txt", "pipeline.skops"}
    assert (manifest.framework.name, manifest.framework.version) == ("lightgbm", metadata.version("lightgbm"))
    assert manifest.libraries["lightgbm"] == metadata.version("lightgbm")
    assert (manifest.classes, manifest.hyperparameters["n_estimators"]) == (("hit", "none"), 2)
    found = load_model(tmp_path / "unpacked", manifest).predict(bundles.rows(), ())
    assert found.labels.tolist() == model.predict(bundles.rows()).tolist()


@pytest.mark.system
def test_pack_asks_what_the_outputs_of_a_network_are(tmp_path: Path) -> None:
    torch = needed("torch")
    exported = torch.export.export(torch.nn.Linear(2, 1), (torch.zeros(3, 2),))
    told: dict[str, Any] = {"format": "torch", "classes": ["hit", "none"]}
    with pytest.raises(ModelError, match="pack it with outputs='probabilities', 'logits' or 'labels'"):
        bundles.packed(tmp_path, exported, **told)
    with pytest.raises(ManifestError, match=r"model\.outputs: 'labels', .* is wanted, not 'odds'"):
        bundles.packed(tmp_path, exported, outputs="odds", **told)
    assert atlas.inspect(bundles.packed(tmp_path, exported, outputs="logits", **told)).model.outputs == "logits"


@pytest.mark.system
def test_a_folder_of_mlflow_becomes_a_zip(tmp_path: Path) -> None:
    needed("mlflow.pyfunc")
    needed("mlflow.sklearn").save_model(bundles.classifier(), tmp_path / "fitted", pip_requirements=["scikit-learn"])
    path = bundles.packed(tmp_path, tmp_path / "fitted", format=None, classes=["hit", "none"])
    manifest = unpack(path, tmp_path / "unpacked")
    assert (manifest.model.member, manifest.model.format) == ("model.zip", "mlflow")
    found = load_model(tmp_path / "unpacked", manifest).predict(bundles.rows(), ())
    assert found.labels.tolist() == bundles.classifier().predict(bundles.rows()).tolist()


# Reading runs nothing ------------------------------------------------------------------------------------------------


def test_inspecting_a_pickle_bomb_executes_nothing(tmp_path: Path) -> None:
    crater = tmp_path / "crater"
    path = bundles.pickle_bomb(tmp_path, crater)
    manifest = atlas.inspect(path)
    unpack(path, tmp_path / "unpacked")
    assert not crater.exists()

    load_part(tmp_path / "unpacked", manifest.model)
    assert crater.exists(), "the bomb is a real one"


def test_inspecting_neither_unpickles_nor_imports_what_could(tmp_path: Path) -> None:
    path = bundles.pickle_bomb(tmp_path, tmp_path / "crater")
    seen = subprocess.run(
        [sys.executable, "-c", INSPECTING, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(seen.stdout) == {"name": "Detector-1.0.0-1767323045", "events": [], "modules": []}
    assert not (tmp_path / "crater").exists()


def test_inspecting_does_not_import_the_authors_modules(tmp_path: Path) -> None:
    source = tmp_path / "hostile.py"
    source.write_text(f"open({str(tmp_path / 'crater')!r}, 'w')\n")
    atlas.inspect(bundles.packed(tmp_path, code=[source]))
    assert not (tmp_path / "crater").exists()


# Broken bundles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", bundles.BROKEN, ids=lambda broken: broken.what)
def test_a_broken_bundle_gets_one_clear_message(tmp_path: Path, broken: bundles.Broken) -> None:
    path = bundles.packed(tmp_path)
    broken.breaks(path)
    error = raised(path)
    assert isinstance(error, broken.error)
    for words in broken.says:
        assert words in str(error)
    assert len(str(error)) < 1_000
    assert "\n" not in str(error)


@pytest.mark.parametrize("broken", bundles.BROKEN, ids=lambda broken: broken.what)
def test_unpack_refuses_what_inspect_refuses_and_stays_in_its_folder(tmp_path: Path, broken: bundles.Broken) -> None:
    path = bundles.packed(tmp_path)
    broken.breaks(path)
    folder = tmp_path / "deep" / "unpacked"
    with pytest.raises(broken.error):
        unpack(path, folder)
    assert {found.name for found in tmp_path.iterdir()} <= {path.name, "deep"}
    assert not folder.parent.exists() or [found.name for found in folder.parent.iterdir()] == ["unpacked"]


def test_a_message_lists_all_wrong_fields_but_not_endlessly(tmp_path: Path) -> None:
    path = bundles.packed(tmp_path)
    bundles.edited(path, lambda manifest: manifest.update({f"extra{n}": n for n in range(9)}, tags=[]))
    message = str(raised(path))
    assert "tags: at least 1" in message
    assert "extra0: no such field" in message
    assert message.endswith("; and 5 more")


def test_a_member_is_never_unpacked_beyond_its_promised_size(tmp_path: Path) -> None:
    path = bundles.packed(tmp_path)
    promised = atlas.inspect(path).members["model.joblib"].size_bytes
    bundles.written(path, bundles.members(path) | {"model.joblib": bytes(20_000_000)})
    with pytest.raises(MemberError, match=f"larger than the {promised:,} bytes"):
        unpack(path, tmp_path / "unpacked")
    assert (tmp_path / "unpacked/model.joblib").stat().st_size <= promised


def test_a_missing_file_is_the_callers_mistake_not_a_broken_bundle(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atlas.inspect(tmp_path / "nowhere.atlas")


def test_a_folder_that_cannot_be_written_is_not_the_bundles_fault(tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    (folder / "model.joblib").mkdir()
    with pytest.raises(OSError, match="directory"):
        unpack(bundles.packed(tmp_path), folder)


# Whatever arrives ----------------------------------------------------------------------------------------------------

FUZZ = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return bundles.packed(tmp_path_factory.mktemp("sound"), format="skops", pipeline=StandardScaler()).read_bytes()


def inspected(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        atlas.inspect(path)
    except BundleError as error:
        assert str(error)


@given(content=st.binary(max_size=2_000))
@FUZZ
def test_random_bytes_raise_nothing_but_bundle_errors(tmp_path: Path, content: bytes) -> None:
    inspected(tmp_path / "random.atlas", content)
    inspected(tmp_path / "random.atlas", b"PK\x03\x04" + content + b"PK\x05\x06" + content[:18])


@given(data=st.data())
@FUZZ
def test_mutated_bundles_raise_nothing_but_bundle_errors(tmp_path: Path, sound: bytes, data: st.DataObject) -> None:
    content = bytearray(sound)
    start = data.draw(st.sampled_from([0, max(0, len(content) - 600)]), "near")
    for _ in range(data.draw(st.integers(1, 6), "changes")):
        content[data.draw(st.integers(start, len(content) - 1), "at")] = data.draw(st.integers(0, 255), "to")
    cut = data.draw(st.integers(0, 40) | st.just(0), "cut")
    inspected(tmp_path / "mutated.atlas", bytes(content[: len(content) - cut]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data())
@FUZZ
def test_mutated_manifests_raise_nothing_but_bundle_errors(tmp_path: Path, sound: bytes, data: st.DataObject) -> None:
    path = tmp_path / "mutated.atlas"
    path.write_bytes(sound)

    def mutate(manifest: dict[str, Any]) -> None:
        place: Any = manifest
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = data.draw(st.sampled_from(keys), "key")
            if not place[key] or not isinstance(place[key], dict | list) or data.draw(st.booleans(), "here"):
                break
            place = place[key]
        place[key] = data.draw(JSON, "value")

    bundles.edited(path, mutate)
    inspected(path, path.read_bytes())


@given(content=st.recursive(JSON, lambda inner: st.lists(inner)).map(json.dumps).map(str.encode) | st.binary())
@FUZZ
def test_any_other_manifest_raises_nothing_but_bundle_errors(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.atlas"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", content)
    assert isinstance(raised(path), ManifestError)


@pytest.mark.parametrize("depth", [100, 190, 250, 900, 990, 1_000, 1_500])
def test_a_deep_manifest_raises_nothing_but_bundle_errors(tmp_path: Path, depth: int) -> None:
    path = bundles.packed(tmp_path)
    deep = f'{{"schema_version": 1, "hyperparameters": {"[" * depth}{"]" * depth}}}'
    bundles.written(path, bundles.members(path) | {"manifest.json": deep.encode()})
    assert isinstance(raised(path), ManifestError)
