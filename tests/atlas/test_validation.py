from pathlib import Path

import pytest

from atlas.validation import CHECKS, Outcome, validate
from tests import bundles


def test_a_sound_bundle_passes_every_check(tmp_path: Path) -> None:
    report = validate(bundles.packed(tmp_path))
    assert report.valid
    assert [check.name for check in report.checks] == [*CHECKS, "libraries"]
    assert {check.outcome for check in report.checks} == {Outcome.OK}


@pytest.mark.parametrize("broken", bundles.BROKEN, ids=lambda broken: broken.what)
def test_the_first_check_that_fails_is_the_last_and_says_why(tmp_path: Path, broken: bundles.Broken) -> None:
    path = bundles.packed(tmp_path)
    broken.breaks(path)
    report = validate(path)
    assert not report.valid
    *passed, failed = report.checks
    assert {check.outcome for check in passed} <= {Outcome.OK}
    assert failed.outcome is Outcome.FAILED
    assert all(words in failed.detail for words in broken.says)


def test_other_library_versions_than_here_are_a_warning(tmp_path: Path) -> None:
    path = bundles.packed(tmp_path)
    bundles.edited(path, lambda manifest: manifest["libraries"].update({"numpy": "1.0", "nowhere": "2.0"}))
    bundles.edited(path, lambda manifest: manifest.update(python="2.7"))
    report = validate(path)
    assert report.valid
    warnings = [check.detail for check in report.checks if check.outcome is Outcome.WARNING]
    assert any(detail.startswith("numpy 1.0 in the bundle, ") for detail in warnings)
    assert any(detail.startswith("python 2.7 in the bundle, ") for detail in warnings)
    assert "nowhere 2.0 in the bundle, none here" in warnings
    assert len(warnings) == 3


def test_a_model_of_own_code_has_no_version_to_compare(tmp_path: Path) -> None:
    path = bundles.packed(tmp_path)
    bundles.edited(path, lambda manifest: manifest.update(framework={"name": "__main__", "version": "own code"}))
    assert {check.outcome for check in validate(path).checks} == {Outcome.OK}
