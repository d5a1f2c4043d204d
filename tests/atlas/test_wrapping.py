"""Bundles written round files that nobody loads."""

import hashlib
import pickle
from pathlib import Path
from typing import Any

import joblib
import pytest

import atlas
from atlas.bundle import UNKNOWN, library_differences
from atlas.errors import ManifestError, MemberError, ModelError
from atlas.manifest import Author, Framework, Manifest
from atlas.validation import validate
from atlas.vocabulary import ColumnSchema, Outputs, Task
from atlas.wrapping import FittedFile, describe_file, pack_file
from tests import bundles

SCHEMA = tuple(ColumnSchema(name=name, dtype="double") for name in bundles.COLUMNS)


def fitted(path: Path) -> FittedFile:
    content = path.read_bytes()
    return FittedFile.of(path.name, hashlib.sha256(content).hexdigest(), len(content))


def described(file: FittedFile, **changes: Any) -> Manifest:
    arguments: dict[str, Any] = {
        "name": "Detector",
        "version": "1.0.0",
        "use_case": "damage detector",
        "task": Task.BINARY,
        "author": Author(name="Ada Lovelace", email="ada@example.com"),
        "tags": ["crash-tests"],
        "target": "label",
        "input_schema": SCHEMA,
        "classes": ["hit", "none"],
        "metrics": ["f1", "accuracy"],
        "primary_metric": "f1",
        "created": bundles.PACKED,
    }
    return describe_file(file, **(arguments | changes))


@pytest.fixture
def estimator(tmp_path: Path) -> Path:
    path = tmp_path / "my model.joblib"
    joblib.dump(bundles.classifier(), path)
    return path


def test_a_plain_file_becomes_a_bundle_that_holds_it_as_it_is(estimator: Path, tmp_path: Path) -> None:
    bundle = pack_file(estimator, described(fitted(estimator)), tmp_path / "out")
    assert validate(bundle).valid
    assert bundle.name == "Detector-1.0.0-1767323045.atlas"
    assert bundles.members(bundle)["model.joblib"] == estimator.read_bytes()
    manifest = atlas.inspect(bundle)
    assert (manifest.input_schema, manifest.classes) == (SCHEMA, ("hit", "none"))


class Trap:
    """Its file says that a folder is made when it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.folder,)


def test_nothing_in_the_file_is_executed(tmp_path: Path) -> None:
    trap, sprung = tmp_path / "model.pkl", tmp_path / "sprung"
    trap.write_bytes(pickle.dumps(Trap(sprung)))
    pack_file(trap, described(fitted(trap)), tmp_path)
    assert not sprung.exists()
    pickle.loads(trap.read_bytes())
    assert sprung.exists()


def test_what_nobody_looked_at_is_unknown_and_no_difference(estimator: Path) -> None:
    manifest = described(fitted(estimator))
    assert (manifest.python, manifest.framework.version, manifest.libraries) == (UNKNOWN, UNKNOWN, {})
    assert library_differences(manifest) == ()
    told = described(fitted(estimator), framework=Framework(name="scikit-learn", version="0.1"))
    assert [line.partition(",")[0] for line in library_differences(told)] == ["scikit-learn 0.1 in the bundle"]


@pytest.mark.parametrize(
    ("name", "format_name", "member"),
    [("net.pt", "torch", "model.pt"), ("a.ubj", "xgboost", "model.ubj"), ("x.pickle", "joblib", "model.pickle")],
)
def test_the_suffix_says_the_format(name: str, format_name: str, member: str) -> None:
    file = FittedFile.of(name, "0" * 64, 1)
    manifest = described(file, outputs=Outputs.LOGITS)
    assert (manifest.model.format, manifest.model.member) == (format_name, member)
    assert manifest.model.outputs is Outputs.LOGITS


def test_another_suffix_is_refused() -> None:
    with pytest.raises(ModelError, match=r"model\.docx: a file that ends in"):
        FittedFile.of("model.docx", "0" * 64, 1)


def test_a_wrong_field_is_named(estimator: Path) -> None:
    with pytest.raises(ManifestError, match="classes: a binary model has two, not 3"):
        described(fitted(estimator), classes=["a", "b", "c"])


def test_another_file_than_the_one_that_was_described_is_refused(estimator: Path, tmp_path: Path) -> None:
    manifest = described(fitted(estimator))
    estimator.write_bytes(b"another")
    with pytest.raises(MemberError, match=r"my model\.joblib is not the file that was described"):
        pack_file(estimator, manifest, tmp_path)
