"""Traces of requests and benchmarks for OpenTelemetry, where `OTEL_EXPORTER_OTLP_ENDPOINT` says who takes them.

Without it nothing is loaded and nothing is done; all functions may be called all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import Field

from atlas.errors import SettingsError
from atlas.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

_tracers: list[Tracer] = []
"""None, or the one of this process."""


class TraceSettings(Settings):
    """Where traces go; what else OpenTelemetry's own variables say holds too."""

    endpoint: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Where traces are sent, such as http://collector:4318; there are none if unset",
    )


def start(component: str) -> bool:
    """Send the traces of this process from now on, if the environment says where to; whether it does.

    Raises:
        SettingsError: it does, but the packages are not installed.
    """
    if not TraceSettings.from_environment().endpoint:
        return False
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as missing:
        raise needs_extra(missing) from missing
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: f"atlas-{component}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    use(provider)
    return True


def needs_extra(missing: ModuleNotFoundError) -> SettingsError:
    """What to install so that there can be traces."""
    return SettingsError(
        f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but {missing.name} is not installed: pip install 'atlas-benchmark[otel]'"
    )


def use(provider: TracerProvider | None) -> None:
    """Have spans made by a provider, or by none."""
    _tracers[:] = [provider.get_tracer("atlas")] if provider else []


def is_on() -> bool:
    """Whether this process makes spans."""
    return bool(_tracers)


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[None]:
    """What happens in the block is one span, with these attributes; an exception that leaves it is kept with it."""
    if not _tracers:
        yield
        return
    with _tracers[0].start_as_current_span(name, attributes=attributes):
        yield


def current_trace() -> str:
    """The id of the trace that is current, 32 hexadecimal digits; empty if there is none."""
    if not _tracers:
        return ""
    from opentelemetry.trace import format_trace_id, get_current_span

    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else ""


class Steps:
    """Spans one after the other, below the one that is current where this is made; any thread may go on to the next."""

    def __init__(self) -> None:
        self._below: Context | None = None
        self._span: Span | None = None
        if _tracers:
            from opentelemetry.context import get_current

            self._below = get_current()

    def begin(self, name: str) -> None:
        """End the last one and begin another."""
        self.end()
        if _tracers:
            self._span = _tracers[0].start_span(name, context=self._below)

    def end(self) -> None:
        """End the last one, if there is one."""
        if self._span is not None:
            self._span.end()
        self._span = None
