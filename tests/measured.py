"""What this process has counted, for tests of what is counted: others may have counted before."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from prometheus_client import REGISTRY

NONE: Mapping[str, str] = MappingProxyType({})


def counted(name: str, labels: Mapping[str, str] = NONE) -> float:
    """The value of a sample of that name with these labels; 0 if there is none yet."""
    return REGISTRY.get_sample_value(name, dict(labels)) or 0.0


@contextmanager
def counting(name: str, labels: Mapping[str, str] = NONE, *, by: float = 1) -> Iterator[None]:
    """Asserts that a sample grows by so much in the block."""
    before = counted(name, labels)
    yield
    assert counted(name, labels) - before == by
