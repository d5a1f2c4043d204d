"""When there are traces, and what is missing for them."""

import sys

import pytest

from atlas import tracing
from atlas.errors import SettingsError
from telemetry import tracing as of_pages

VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:9")
    return "http://127.0.0.1:9"


def test_without_an_endpoint_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert not tracing.start("engine")
    with tracing.span("benchmark", benchmark=7):
        assert tracing.current_trace() == ""


@pytest.mark.parametrize(
    "package", ["opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk.resources"]
)
def test_with_one_a_missing_package_is_an_error_that_names_the_extra(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    for start in (tracing.start, of_pages.start):
        with pytest.raises(SettingsError, match=r"OTEL_EXPORTER_OTLP_ENDPOINT.*pip install 'atlas-benchmark\[otel\]'"):
            start("dashboard")
    assert not tracing.is_on()


def test_an_endpoint_that_is_no_address_is_an_error_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "collector:4318")
    with pytest.raises(SettingsError, match=VARIABLE):
        tracing.start("engine")
