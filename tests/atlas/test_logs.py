"""What a line of the log says, to people and to programs."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from logging.config import dictConfig
from typing import Any

import pytest

from atlas import logs
from atlas.errors import SettingsError
from atlas.logs import LogFormat, LogSettings

REQUEST = "4f1c9d2e8b7a6053"


class Printed:
    """The lines that a process would print."""

    def __init__(self) -> None:
        self._stream = io.StringIO()

    def set_up(self, log_format: LogFormat, component: str = "engine") -> None:
        configuration = logs.configuration(LogSettings(log_format=log_format), component)
        configuration["handlers"]["console"]["stream"] = self._stream
        dictConfig(configuration)

    def lines(self) -> list[str]:
        return self._stream.getvalue().splitlines()

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines()]


@pytest.fixture
def printed() -> Iterator[Printed]:
    """Whatever the configuration changes of the loggers is as before afterwards."""
    names = ["", "django.server", *logs.QUIET, *logs.SERVER]
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.level, logger.propagate, logger.handlers[:]) for logger in loggers]
    yield Printed()
    for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.propagate, logger.handlers[:] = propagate, handlers


def test_json_lines_say_when_where_what_and_about_which_request_and_benchmark(printed: Printed) -> None:
    printed.set_up(LogFormat.JSON)
    logs.begin_request(REQUEST)
    with logs.about_benchmark(7):
        logging.getLogger("benchmark_engine.cache").warning("Removed %s: müde.", "data", extra={"mib": 3})
    logs.end_request()
    logging.getLogger("benchmark_engine").info("Nothing is run.")
    first, second = printed.documents()
    assert abs(datetime.now(UTC) - datetime.fromisoformat(first.pop("time"))).total_seconds() < 300
    assert first == {
        "level": "WARNING",
        "logger": "benchmark_engine.cache",
        "message": "Removed data: müde.",
        "component": "engine",
        "request": REQUEST,
        "benchmark": 7,
        "mib": 3,
    }
    assert second.keys() == {"time", "level", "logger", "message", "component"}
    assert second["time"].endswith("+00:00")


def test_an_exception_stays_in_its_line_with_its_traceback(printed: Printed) -> None:
    printed.set_up(LogFormat.JSON)
    try:
        raise ZeroDivisionError("by nought")
    except ZeroDivisionError:
        logging.getLogger("atlas").exception("It failed")
    (line,) = printed.documents()
    assert "in test_an_exception" in line["exception"]
    assert "ZeroDivisionError: by nought" in line["exception"]


def test_plain_lines_end_with_the_ids(printed: Printed) -> None:
    printed.set_up(LogFormat.PLAIN)
    with logs.about_benchmark(7):
        logging.getLogger("atlas").info("Done.")
    logging.getLogger("atlas").info("Done.")
    about, plain = printed.lines()
    assert about.endswith("INFO    atlas: Done. benchmark=7")
    assert plain.endswith("INFO    atlas: Done.")


def test_what_is_about_a_benchmark_stays_so_where_no_other_is_named(printed: Printed) -> None:
    printed.set_up(LogFormat.JSON)
    with logs.about_benchmark(7), logs.about_benchmark(None):
        logging.getLogger("atlas").info("Done.")
    assert printed.documents()[0]["benchmark"] == 7


def test_a_format_that_is_none_stops_the_process_with_the_variable_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_LOG_FORMAT", "xml")
    with pytest.raises(SettingsError, match=r"ATLAS_LOG_FORMAT.*'plain' or 'json'"):
        logs.configure("engine")
