"""Atlas benchmarks every model on every new version of its dataset, by itself.

This package is what a data scientist needs: `pack` writes a model as one file, `inspect` reads what such a file says
without running it. Names are imported on first use, so that the servers' processes start fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atlas.bundle import inspect, pack
    from atlas.manifest import Author, CustomMetric, DataWindow, Manifest, TrainingRecord

__all__ = ["Author", "CustomMetric", "DataWindow", "Manifest", "TrainingRecord", "inspect", "pack"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'atlas' has no attribute {name!r}")
    return getattr(import_module("atlas.bundle" if name in {"inspect", "pack"} else "atlas.manifest"), name)
