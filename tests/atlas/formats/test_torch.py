import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from atlas.errors import ModelError
from atlas.formats import Model, format_named
from atlas.formats.outputs import BATCH_ROWS
from atlas.vocabulary import Outputs, Task
from tests.atlas.formats.conftest import CLASSES, assert_close
from tests.libraries import needed

pytestmark = pytest.mark.system

Through = Callable[..., Model]


@pytest.fixture(autouse=True)
def torch() -> Any:
    """The library."""
    return needed("torch")


def network(torch: Any, inputs: int = 4, outputs: int = 3) -> Any:
    """An untrained network, which is the same each time."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(inputs, 8), torch.nn.ReLU(), torch.nn.Linear(8, outputs))


def scripted(torch: Any, module: Any) -> Any:
    """The network as TorchScript, of which PyTorch warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(module)


def exported(torch: Any, module: Any, inputs: int = 4) -> Any:
    """The network for any number of rows."""
    rows = {0: torch.export.Dim("rows")}
    return torch.export.export(module, (torch.zeros(5, inputs),), dynamic_shapes=(rows,))


def answers(torch: Any, module: Any, rows: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        found: np.ndarray = module(torch.tensor(rows)).numpy()
    return found


@pytest.mark.parametrize("write", [scripted, exported])
def test_logits_become_probabilities_and_labels(
    torch: Any, through: Through, frame: pd.DataFrame, write: Callable[[Any, Any], Any]
) -> None:
    module = network(torch)
    found = through(write(torch, module), "torch", outputs=Outputs.LOGITS).predict(frame, ())
    logits = answers(torch, module, frame.to_numpy("f4"))
    assert_close(found.probabilities, torch.from_numpy(logits).softmax(1).numpy(), rtol=1e-5)
    assert found.labels.tolist() == np.array(CLASSES)[logits.argmax(axis=1)].tolist()


def test_one_logit_is_of_the_last_of_two_classes(torch: Any, through: Through, frame: pd.DataFrame) -> None:
    module = network(torch, outputs=1)
    meaning: dict[str, Any] = {"task": Task.BINARY, "classes": CLASSES[:2], "outputs": Outputs.LOGITS}
    found = through(scripted(torch, module), "torch", **meaning).predict(frame, ())
    logits = answers(torch, module, frame.to_numpy("f4"))[:, 0]
    assert_close(found.scores, logits)
    assert (found.labels == CLASSES[1]).tolist() == (logits > 0).tolist()


def test_logits_of_several_labels_are_each_label_s_own(torch: Any, through: Through, frame: pd.DataFrame) -> None:
    module = network(torch)
    meaning: dict[str, Any] = {"task": Task.MULTILABEL, "outputs": Outputs.LOGITS}
    found = through(scripted(torch, module), "torch", **meaning).predict(frame, ())
    logits = answers(torch, module, frame.to_numpy("f4"))
    np.testing.assert_array_equal(found.labels, (logits > 0).astype(int))
    assert_close(found.probabilities, 1 / (1 + np.exp(-logits)), rtol=1e-5)


def test_a_network_in_double_precision_gets_doubles(torch: Any, through: Through, frame: pd.DataFrame) -> None:
    module = network(torch, outputs=1).double()
    found = through(scripted(torch, module), "torch", task=Task.REGRESSION, classes=()).predict(frame, ())
    assert_close(found.labels, answers(torch, module, frame.to_numpy("f8")), rtol=1e-12)


def test_signal_windows_become_one_tensor(torch: Any, through: Through) -> None:
    module = torch.nn.Sequential(torch.nn.Conv1d(2, 1, 3), torch.nn.Flatten(), torch.nn.Linear(6, 1))
    windows = np.random.default_rng(0).normal(size=(10, 2, 8)).astype("f4")
    frame = pd.DataFrame({"x": list(windows[:, 0]), "y": list(windows[:, 1])})
    loaded = through(scripted(torch, module), "torch", task=Task.REGRESSION, classes=())
    assert_close(loaded.predict(frame, ()).labels, answers(torch, module, windows), rtol=1e-5)
    with pytest.raises(ModelError, match="Column x holds windows, others numbers"):
        loaded.predict(frame.assign(y=1.0), ())


def test_no_batch_has_a_single_row_which_exported_networks_refuse(torch: Any, through: Through) -> None:
    module = network(torch, outputs=1)
    rows = np.random.default_rng(0).normal(size=(BATCH_ROWS + 1, 4)).astype("f4")
    found = through(exported(torch, module), "torch", task=Task.REGRESSION, classes=()).predict(rows, ())
    assert_close(found.labels, answers(torch, module, rows), rtol=1e-4, atol=1e-6)


def test_a_network_says_how_large_it_is_and_of_which_layers(torch: Any, through: Through) -> None:
    found = through(scripted(torch, network(torch)), "torch", outputs=Outputs.LOGITS).get_params()
    assert found == {"parameters": 67, "tensors": 4, "layers": {"Linear": 2, "ReLU": 1}, "outputs": "logits"}


def test_an_exported_program_says_of_which_operations_it_is(torch: Any, through: Through) -> None:
    found = through(exported(torch, network(torch)), "torch", outputs=Outputs.LOGITS).get_params()
    assert found == {"parameters": 67, "tensors": 4, "layers": {"linear": 2, "relu": 1}, "outputs": "logits"}


def test_a_module_that_needs_its_author_s_python_is_refused(torch: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"torch\.export\.export or torch\.jit\.script"):
        format_named("torch").dump(network(torch), tmp_path / "model.pt")
