import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
import skops.io

from atlas.errors import LoadError, ModelError
from atlas.formats import format_named, load_file
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
