"""What all processes of Atlas log, and how: plain lines for people, or JSON for programs that gather and search logs.

Whatever is logged while a request is answered or a benchmark is run carries its id, whoever logs it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from logging.config import dictConfig
from typing import Any

from pydantic import Field

from atlas.settings import Settings
from atlas.tracing import current_trace

SERVER = ("gunicorn.error", "gunicorn.access")
QUIET = ("apscheduler", "axes", "httpx", "opentelemetry", "watchfiles")
"""Libraries of which warnings are enough."""
NOT_SHOWN = ("ids", "request", "server_time", "status_code", "color_message")
"""What libraries, and the plain lines, add to records and JSON has no use for; `request` is then the id alone."""

_request: ContextVar[str] = ContextVar("atlas_request", default="")
_benchmark: ContextVar[int | None] = ContextVar("atlas_benchmark", default=None)


class LogFormat(StrEnum):
    """How a line is written."""

    PLAIN = "plain"
    JSON = "json"


class LogSettings(Settings):
    """What each process prints, and how."""

    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is printed")
    log_format: LogFormat = Field(LogFormat.PLAIN, description="`plain` lines for people, or `json` for programs")


def begin_request(request: str) -> None:
    """What is logged from now on in this thread or task belongs to the request with this id, until `end_request`.

    There is no block for it: servers write their own line on a request when the code that answers it has returned.
    """
    _request.set(request)


def end_request() -> None:
    """What is logged from now on belongs to no request."""
    _request.set("")


@contextmanager
def about_benchmark(benchmark: int | None) -> Iterator[None]:
    """What is logged in the block belongs to the benchmark with this id; None changes nothing."""
    token = _benchmark.set(_benchmark.get() if benchmark is None else benchmark)
    try:
        yield
    finally:
        _benchmark.reset(token)


def current_request() -> str:
    """The id of the request that is being answered; empty if there is none."""
    return _request.get()


class Ids(logging.Filter):
    """Adds to each record what it is about: `request_id`, `benchmark_id` and `trace_id` as far as there are any, and
    all of them as the end of a plain line in `ids`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add them; every record passes."""
        about = {"request": _request.get(), "benchmark": _benchmark.get(), "trace": current_trace()}
        known = {name: value for name, value in about.items() if value}
        for name, value in known.items():
            setattr(record, f"{name}_id", value)
        record.ids = "".join(f" {name}={value}" for name, value in known.items())
        return True


def configuration(settings: LogSettings, component: str) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes; gunicorn's own loggers write what all others do.

    Args:
        settings: the level and the format.
        component: what the process calls itself in JSON, such as `engine`.
    """
    loggers: dict[str, Any] = {name: {"level": "WARNING"} for name in QUIET}
    loggers |= {name: {"level": "INFO", "handlers": [], "propagate": True} for name in SERVER}
    if settings.log_format is LogFormat.JSON:
        loggers["django.server"] = {"level": "INFO", "handlers": ["console"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"ids": {"()": "atlas.logs.Ids"}},
        "formatters": {"plain": _plain(), "json": _json(component)},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": settings.log_format.value,
                "filters": ["ids"],
            }
        },
        "root": {"handlers": ["console"], "level": settings.log_level},
        "loggers": loggers,
    }


def configure(component: str) -> None:
    """Have this process log as its environment says, under the name of a component.

    Raises:
        SettingsError: a variable is wrong.
    """
    dictConfig(configuration(LogSettings.from_environment(), component))


def _plain() -> dict[str, Any]:
    return {"format": "{asctime} {levelname:<7} {name}: {message}{ids}", "style": "{"}


def _json(component: str) -> dict[str, Any]:
    """One object a line. Time is in UTC, whatever the machine's zone."""
    return {
        "()": "pythonjsonlogger.json.JsonFormatter",
        "fmt": ["levelname", "name", "message"],
        "rename_fields": {
            "levelname": "level",
            "name": "logger",
            "request_id": "request",
            "benchmark_id": "benchmark",
            "trace_id": "trace",
            "exc_info": "exception",
        },
        "static_fields": {"component": component},
        "timestamp": "time",
        "reserved_attrs": [*vars(logging.makeLogRecord({})), "asctime", *NOT_SHOWN],
        "json_ensure_ascii": False,
    }
