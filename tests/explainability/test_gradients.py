"""Networks of PyTorch: by permutation sampling while there is time for it, else by their gradients."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from atlas.formats import Meaning, format_named
from atlas.vocabulary import Outputs, Task
from explainability import registry
from explainability.attribution import Attribution, ImpossibleError, Subject
from explainability.gradients import attribute
from explainability.permutation import PERMUTATION
from tests.explainability.test_permutation import normal, shapley_values, subject
from tests.explanations import explained, frame
from tests.libraries import needed

pytestmark = [pytest.mark.system, pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")]

CLASSES = {Task.BINARY: ("none", "dent"), Task.MULTICLASS: ("none", "dent", "crack"), Task.REGRESSION: ()}


def network(features: int, outputs: int, *last: Any) -> Any:
    torch = needed("torch")
    torch.manual_seed(0)
    hidden = torch.nn.Linear(features, 16)
    return torch.nn.Sequential(hidden, torch.nn.Tanh(), torch.nn.Linear(16, outputs), *last)


def loaded(module: Any, task: Task, outputs: Outputs | None = None, *, features: int = 8, script: bool = True) -> Any:
    torch = needed("torch")
    if script:
        made = torch.jit.script(module)
    else:
        rows = {0: torch.export.Dim("rows")}
        made = torch.export.export(module, (torch.zeros(4, features),), dynamic_shapes=(rows,)).module()
    return format_named("torch").adapt(made, Meaning(task=task, classes=CLASSES[task], outputs=outputs))


def asked(model: Any, task: Task, rows: int = 10, features: int = 8, seconds: float = 30) -> Subject:
    made = subject(model, normal(rows, 0, features), normal(50, 1, features), seconds=seconds)
    return replace(made, task=task, classes=CLASSES[task])


def test_gradients_come_near_shapley_values_and_add_up() -> None:
    model = loaded(network(8, 1), Task.REGRESSION)
    made = asked(model, Task.REGRESSION)
    found = attribute(made)
    exact = shapley_values(lambda rows: model.predict(rows, ()).labels.ravel(), made.features[:5], made.others.rows)
    assert np.sqrt(np.mean((found.values[:5, :, 0] - exact) ** 2)) < 0.15 * np.abs(exact).std()
    np.testing.assert_allclose(found.base_values + found.values.sum(axis=1), found.answers, atol=1e-6)
    assert found.output == "value"


def test_an_exported_network_has_the_gradients_of_its_script() -> None:
    rows = normal(10, 0).astype("f4")
    script, exported = (loaded(network(8, 2), Task.BINARY, Outputs.LOGITS, script=script) for script in (True, False))
    for one, other in zip(script.slopes(rows), exported.slopes(rows), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert script.slopes(rows)[1].shape == (10, 8, 2)


@pytest.mark.parametrize(
    ("task", "outputs", "count", "output"),
    [
        (Task.BINARY, Outputs.LOGITS, 1, "margin"),
        (Task.BINARY, Outputs.LOGITS, 2, "margin"),
        (Task.BINARY, Outputs.PROBABILITIES, 2, "probability"),
        (Task.MULTICLASS, Outputs.LOGITS, 3, "margin"),
        (Task.MULTICLASS, Outputs.PROBABILITIES, 3, "probability"),
    ],
)
def test_outputs_of_a_classifier_are_what_the_manifest_says(
    task: Task, outputs: Outputs, count: int, output: str
) -> None:
    last = [needed("torch").nn.Softmax(dim=1)] if outputs is Outputs.PROBABILITIES else []
    model = loaded(network(8, count, *last), task, outputs)
    made = asked(model, task)
    found = attribute(made)
    assert found.output == output
    probabilities = model.predict(made.features, ()).probabilities
    if task is Task.BINARY:
        last_of_two = probabilities[:, 1:]
        wanted = last_of_two if output == "probability" else np.log(last_of_two / (1 - last_of_two))
    else:
        wanted = probabilities if output == "probability" else np.log(probabilities)
        wanted = wanted - wanted.mean(axis=1, keepdims=True)
        found = replace(found, answers=found.answers - found.answers.mean(axis=1, keepdims=True))
    np.testing.assert_allclose(found.answers, wanted, atol=1e-4)


def test_a_network_of_steps_has_no_gradients_to_explain_it() -> None:
    torch = needed("torch")

    class Steps(torch.nn.Module):  # type: ignore[misc,name-defined]
        def forward(self, rows: torch.Tensor) -> torch.Tensor:  # type: ignore[name-defined]
            return torch.round(rows.sum(dim=1, keepdim=True))

    with pytest.raises(ImpossibleError, match="not smooth"):
        attribute(asked(loaded(Steps(), Task.REGRESSION), Task.REGRESSION))


def test_a_narrow_network_is_explained_by_asking_it() -> None:
    model = loaded(network(8, 1), Task.REGRESSION)
    assert explained(model, Task.REGRESSION, frame(normal(60, 0))).method == "permutation sampling"


def test_a_network_that_there_is_no_time_to_ask_is_explained_by_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_slow(subject: Subject) -> Attribution:
        raise ImpossibleError("It would take too long.")

    asking = replace(PERMUTATION, attribute=too_slow)
    monkeypatch.setattr(registry, "OWN", tuple(asking if known is PERMUTATION else known for known in registry.OWN))
    model = loaded(network(3_000, 1), Task.REGRESSION, features=3_000)
    findings = explained(model, Task.REGRESSION, frame(normal(60, 0, 3_000)), seconds=120)
    assert findings.method == "expected gradients"
    assert len(findings.values) >= 10
    assert findings.gap < 1e-6
