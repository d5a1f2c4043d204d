"""PyTorch: a network of `torch.export` or TorchScript, which brings its own code in a form that needs no Python."""

import warnings
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atlas.errors import ModelError
from atlas.formats.contract import Format, Meaning, Model
from atlas.formats.outputs import as_array, batches, read_outputs, required, threads
from atlas.metrics import Needs, Predictions
from atlas.vocabulary import Outputs


class TorchModule(Model):
    """A network. It gets the features as one tensor of its own floating-point type."""

    def __init__(self, module: Any, meaning: Meaning) -> None:
        import torch

        torch.set_num_threads(threads())
        self._module = module
        self._meaning = meaning
        self._outputs = required(meaning)

    def predict(self, features: Any, needs: Collection[Needs]) -> Predictions:  # noqa: ARG002 - one call gives all
        """What the outputs mean by the manifest."""
        import torch

        given = torch.from_numpy(np.require(as_array(features, self._dtype()), requirements="W"))
        with torch.inference_mode():
            answers = [_first(self._module(given[part])) for part in batches(len(given))]
        return read_outputs(np.concatenate([answer.numpy() for answer in answers]), self._outputs, self._meaning)

    def slopes(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the network gives, (rows, outputs), and how that moves with each feature, (rows, features, outputs).

        Raises:
            ModelError: it gives classes, which do not move.
            Exception: some of its operations have no gradient.
        """
        import torch

        if self._outputs is Outputs.LABELS:
            raise ModelError("The network gives classes, which have no gradient.")
        given = torch.from_numpy(np.require(features, self._dtype(), "W")).requires_grad_()
        answers = _first(self._module(given))
        columns = answers.reshape(len(answers), -1)
        found = [torch.autograd.grad(column.sum(), given, retain_graph=True)[0].numpy() for column in columns.T]
        return columns.detach().numpy().astype("f8"), np.stack(found, axis=-1).astype("f8")

    @property
    def outputs(self) -> Outputs:
        """What the network gives."""
        return self._outputs

    def get_params(self, deep: bool = False) -> Mapping[str, Any]:  # noqa: ARG002 - the signature is scikit-learn's
        """How large the network is, of what it is made, and what it gives."""
        parameters = [parameter.numel() for parameter in self._module.parameters()]
        return {
            "parameters": sum(parameters),
            "tensors": len(parameters),
            "layers": dict(Counter(_layers(self._module)).most_common()),
            "outputs": str(self._outputs),
        }

    def _dtype(self) -> str:
        """The floating-point type of the network's parameters, as NumPy's."""
        sizes = [one.element_size() for one in self._module.parameters() if one.is_floating_point()]
        return "f8" if sizes and sizes[0] == 8 else "f4"


def _layers(module: Any) -> Iterator[str]:
    """The kind of each layer of a script module, or each operation of an exported program, which has no layers."""
    import torch

    if isinstance(module, torch.fx.GraphModule):
        calls = (node.target for node in module.graph.nodes if node.op == "call_function")
        yield from (getattr(target, "__name__", str(target)).partition(".")[0] for target in calls)
    else:
        innermost = (each for each in module.modules() if not any(each.children()))
        yield from (getattr(each, "original_name", type(each).__name__) for each in innermost)


def _first(answer: Any) -> Any:
    """The network's answer, or the first of several."""
    if isinstance(answer, Mapping):
        return next(iter(answer.values()))
    return answer[0] if isinstance(answer, tuple | list) else answer


def dump(model: Any, path: Path) -> None:
    """Write an exported program or a script module."""
    import torch

    with path.open("wb") as file, warnings.catch_warnings():
        _accept_torchscript()
        if isinstance(model, torch.export.ExportedProgram):
            torch.export.save(model, file)
        elif isinstance(model, torch.jit.ScriptModule):
            torch.jit.save(model, file)
        else:
            raise ModelError("a network is written as what torch.export.export or torch.jit.script makes of it")


def load(path: Path, own_modules: frozenset[str]) -> Any:  # noqa: ARG001 - the registry's signature
    """Read either; what a file is, its content says."""
    import torch

    with zipfile.ZipFile(path) as archive:
        is_exported = any(name.endswith("/archive_format") for name in archive.namelist())
    with path.open("rb") as file, warnings.catch_warnings():
        _accept_torchscript()
        if is_exported:
            return torch.export.load(file).module()
        return torch.jit.load(file, map_location="cpu").eval()


def _accept_torchscript() -> None:
    """PyTorch warns of its own TorchScript, in which many models are kept."""
    warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)


FORMAT = Format(
    name="torch",
    suffixes=("pt", "pt2", "pth"),
    package="torch",
    libraries=("torch",),
    requirement="atlas-benchmark[torch]",
    dump=dump,
    load=load,
    adapt=TorchModule,
)
