"""Explainers of other packages."""

from importlib import metadata
from typing import Any

import pytest
from sklearn.linear_model import Ridge
from sklearn.svm import SVR

from explainability import registry
from explainability.attribution import Attribution, Explainer, Subject
from explainability.linear import LINEAR
from explainability.permutation import PERMUTATION
from explainability.registry import explainers


def attribute(subject: Subject) -> Attribution:
    raise NotImplementedError


RIDGES = Explainer(accepts=lambda estimator: isinstance(estimator, Ridge), attribute=attribute)
NO_EXPLAINER = "neither"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make it so that a package names objects of this module as explainers."""

    def install(*names: str) -> None:
        points = [metadata.EntryPoint(name, f"{__name__}:{name}", registry.PLUGINS) for name in names]
        monkeypatch.setattr(metadata, "entry_points", lambda group: [each for each in points if each.group == group])
        monkeypatch.setattr(metadata.EntryPoint, "load", lambda point: globals()[point.attr])

    return install


def test_an_explainer_of_another_package_is_asked_first_about_what_it_accepts(installed: Any) -> None:
    installed("RIDGES")
    assert list(explainers(Ridge().fit([[1], [2]], [1, 2]))) == [RIDGES, LINEAR, PERMUTATION]
    assert list(explainers(SVR())) == [PERMUTATION]


@pytest.mark.parametrize(
    ("name", "told"), [("NO_EXPLAINER", "is no Explainer of Atlas"), ("MISSING", "cannot be loaded")]
)
def test_a_broken_package_is_named_and_left_out(
    installed: Any, caplog: pytest.LogCaptureFixture, name: str, told: str
) -> None:
    installed(name, "RIDGES")
    assert list(explainers(Ridge())) == [RIDGES, PERMUTATION]
    assert f"The explainer {name!r} ({__name__}:{name}) {told}" in caplog.text
