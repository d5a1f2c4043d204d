"""How often each format's library is asked to predict."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atlas.formats import Meaning, format_named, load_file
from atlas.formats.onnx import Graph
from atlas.metrics import Needs
from atlas.vocabulary import Task
from tests import coverage
from tests.libraries import needed

pytestmark = [
    pytest.mark.system,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]

ASKING = {"predict", "run"}
CASES = [case for case in coverage.cases() if case.format in {"onnx", "xgboost", "lightgbm", "catboost", "torch"}]


class Counted:
    """What a library loaded; it counts how often it is asked."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._counting(name, found) if name in ASKING else found

    def __call__(self, *given: Any) -> Any:
        return self._counting("call", self._inner)(*given)

    def _counting(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            self.calls[name] += 1
            return method(*given, **options)

        return call


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.format}, {case.name}, {case.task}")
def test_one_call_gives_all_that_is_needed(case: coverage.Case, tmp_path: Path) -> None:
    frame, target = coverage.events(case.task)
    said = case.fit(frame, target)
    form = format_named(case.format)
    needed(form.package)
    path = tmp_path / f"model.{form.suffix}"
    form.dump(said["model"], path)
    loaded = load_file(path, case.format)
    counted = Counted(loaded.session if isinstance(loaded, Graph) else loaded)
    classes = said.get("classes") or ([] if case.task is Task.REGRESSION else sorted(set(target)))
    meaning = Meaning(task=case.task, classes=tuple(classes), outputs=said.get("outputs"))
    given = Graph(counted, path) if isinstance(loaded, Graph) else counted
    found = form.adapt(given, meaning).predict(frame, frozenset(Needs))
    assert len(found.labels) == len(frame)
    one_row_at_a_time = "one row" in case.name
    assert sum(counted.calls.values()) == (len(frame) if one_row_at_a_time else 1)
