"""Traces of requests and of the statements that they make, in processes that serve pages."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from atlas import tracing

NOT_TRACED = "healthz,readyz,metrics"
"""Questions of programs that ask all the time."""


@contextmanager
def untraced() -> Iterator[None]:
    """What happens in the block leaves no spans, such as statements of a request that is not traced itself."""
    if not tracing.is_on():
        yield
        return
    from opentelemetry.instrumentation.utils import suppress_instrumentation

    with suppress_instrumentation():
        yield


def start(component: str) -> None:
    """Trace requests from now on, if the environment says where traces go; before the application is made.

    Raises:
        SettingsError: it does, but the packages are not installed.
    """
    if not tracing.start(component):
        return
    os.environ.setdefault("OTEL_PYTHON_DJANGO_EXCLUDED_URLS", NOT_TRACED)  # is read when the next module is loaded
    try:
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.instrumentation.psycopg2 import Psycopg2Instrumentor
    except ModuleNotFoundError as missing:
        raise tracing.needs_extra(missing) from missing
    DjangoInstrumentor().instrument()
    Psycopg2Instrumentor().instrument(skip_dep_check=True)  # whichever of its two packages has brought psycopg2
