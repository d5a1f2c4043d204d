"""The reference engine keeps its contract, and an engine that does not is found out."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from pytest_django import Settings
from typer.testing import CliRunner

from atlas.access import Role
from atlas.cli import app
from atlas.conformance import RULES, Finding, Outcome, check_engine
from atlas.connection import bearing
from ingestion_engine import settings as ingestion_settings
from ingestion_engine.places import object_store
from ingestion_engine.worker import work_once
from tests.ingestion_engine.engine import COMPONENTS_TOKEN, token_of_a
from tests.ingestion_engine.server import person_token, prepared, serving

Answer = tuple[int, dict[str, str], bytes]
Tamper = Callable[[httpx.Request, Answer], Answer]
ROOT = Path(__file__).parents[2]


def broken(findings: list[Finding]) -> dict[str, str]:
    """What was found of each rule that is broken."""
    return {each.rule.id: each.found for each in findings if each.outcome is Outcome.BROKEN}


@pytest.fixture
def engine(db: None, settings: Settings, tmp_path: Path) -> Iterator[httpx.Client]:
    """The reference engine within this process."""
    settings.ROOT_URLCONF = ingestion_settings.ROOT_URLCONF
    settings.MIDDLEWARE = ingestion_settings.MIDDLEWARE
    settings.STATIC_ROOT = None
    settings.ATLAS_HARMLESS_LABELS = ingestion_settings.ATLAS_HARMLESS_LABELS
    settings.ATLAS_INGESTION_STORE = str(tmp_path / "ingestion")
    settings.ATLAS_INGESTION_TURNS = str(tmp_path / "turns")
    settings.ATLAS_INGESTION_TOKEN = COMPONENTS_TOKEN
    signed_in = bearing(token_of_a(Role.DATA_SCIENTIST), "token")
    with httpx.Client(transport=Engine(), base_url="http://localhost", headers=signed_in) as client, one_connection():
        yield client


@contextmanager
def one_connection() -> Iterator[None]:
    """Requests leave the test's connection open, and the transaction in which it runs."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


class Engine(httpx.BaseTransport):
    """The reference engine within this process; its worker does all that a request leaves to it before the answer."""

    def __init__(self, tamper: Tamper = lambda request, answer: answer) -> None:
        self.tamper, self.whole = tamper, httpx.WSGITransport(get_wsgi_application())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.whole.handle_request(request)
        content = answer.read()
        answer.close()
        if request.method != "GET":
            while work_once(object_store(), timezone.now()):
                pass
        status, headers, content = self.tamper(request, (answer.status_code, dict(answer.headers), content))
        headers = {name: value for name, value in headers.items() if name != "content-length"}
        return httpx.Response(status, headers=headers, content=content)


def status(method: str, path: str, old: int, new: int) -> Tamper:
    """Another status of an answer."""

    def tamper(request: httpx.Request, answer: Answer) -> Answer:
        asked = request.method == method and re.fullmatch(path, request.url.path)
        return (new, *answer[1:]) if asked and answer[0] == old else answer

    return tamper


def text(path: str, old: str, new: str) -> Tamper:
    """Another text within JSON answers."""

    def tamper(request: httpx.Request, answer: Answer) -> Answer:
        if not re.fullmatch(path, request.url.path) or "json" not in answer[1].get("content-type", ""):
            return answer
        return (*answer[:2], re.sub(old.encode(), new.encode(), answer[2]))

    return tamper


def header(name: str, value: str, path: str = "/data$|/uploads/") -> Tamper:
    """Another header of answers, if not of others, then of data and parts."""

    def tamper(request: httpx.Request, answer: Answer) -> Answer:
        if not re.search(path, request.url.path) or name not in answer[1]:
            return answer
        return answer[0], {**answer[1], name: value}, answer[2]

    return tamper


def table(change: Callable[[pa.Table], pa.Table]) -> Tamper:
    """Other rows in the data."""

    def tamper(request: httpx.Request, answer: Answer) -> Answer:
        if not request.url.path.endswith("/data") or answer[0] != 200:
            return answer
        rows = change(pa.ipc.open_file(answer[2]).read_all())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, rows.schema) as writer:
            writer.write_table(rows)
        return (*answer[:2], sink.getvalue().to_pybytes())

    return tamper


def no_range(request: httpx.Request, answer: Answer) -> Answer:
    """The whole file, though a part was asked for."""
    return (200, *answer[1:]) if answer[0] == 206 else answer


def without_json(request: httpx.Request, answer: Answer) -> Answer:
    """Faults as pages."""
    return (answer[0], {"content-type": "text/html"}, b"<h1>Wrong</h1>") if answer[0] >= 400 else answer


def doubled(column: str, rows: pa.Table) -> pa.Table:
    """The values of a column twice as high."""
    place = rows.schema.get_field_index(column)
    return rows.set_column(place, rows.schema.field(column), pc.multiply(rows[column], 2.0))


DATASET = "/api/v1/datasets/[^/]+"


@pytest.mark.parametrize(
    ("tamper", "rules"),
    [
        (text("/healthz", "ok", "fine"), {"R01"}),
        (without_json, {"R02", "R03", "R04", "R08", "R09", "R22", "R23", "R24", "R53", "R54"}),
        (status("DELETE", "/api/v1/tags", 405, 404), {"R03"}),
        (text("/api/v1/recordings", '"sha256": "[0-9a-f]', '"sha256": "f'), {"R05"}),
        (status("POST", "/api/v1/recordings", 409, 200), {"R08"}),
        (status("POST", "/api/v1/recordings", 422, 200), {"R09"}),
        (text("/api/v1/recordings/.*", '"problem": "[^"]+"', '"problem": ""'), {"R11"}),
        (text("/api/v1/recordings/.*", '"events": 40', '"events": 41'), {"R06", "R07"}),
        (text("/api/v1/uploads/.*", '"received_bytes": 1', '"received_bytes": 2'), {"R12"}),
        (header("upload-offset", "7"), {"R14"}),
        (status("PUT", "/api/v1/uploads/.*", 422, 200), {"R15"}),
        (status("GET", "/api/v1/recordings", 401, 200), {"R16"}),
        (header("www-authenticate", "Basic", "/tags$"), {"R16"}),
        (status("POST", "/api/v1/tags", 409, 200), {"R22"}),
        (status("POST", "/api/v1/tags", 422, 500), {"R23"}),
        (status("GET", "/api/v1/tags/.*", 404, 500), {"R23", "R24"}),
        (text("/api/v1/tags", '"created"', '"made"'), {"R20", "R21", "R25", "R27"}),
        (text(DATASET, '"number": 1', '"number": 7'), {"R40"}),
        (text(DATASET, '"target": "label"', '"target": "class"'), {"R41"}),
        (text(DATASET, '"digest": "[0-9a-f]{2}', '"digest": "zz'), {"R40"}),
        (text(DATASET, '"size_bytes": ', '"size_bytes": 9'), {"R42"}),
        (text(DATASET, '"labels": {"dent": 14', '"labels": {"dent": 15'), {"R50"}),
        (header("etag", '"1"'), {"R43"}),
        (header("content-type", "application/octet-stream"), {"R43"}),
        (header("content-range", "bytes 0-1/2"), {"R51", "R53"}),
        (no_range, {"R51", "R52"}),
        (status("GET", f"{DATASET}/data", 422, 200), {"R54"}),
        (table(lambda rows: rows.sort_by([("id", "descending")])), {"R42", "R46"}),
        (table(lambda rows: rows.slice(1)), {"R42", "R45", "R48"}),
        (table(lambda rows: doubled("speed", rows)), {"R42", "R45", "R49"}),
        (table(lambda rows: rows.drop_columns("note")), {"R42", "R44", "R45"}),
    ],
)
def test_an_engine_that_breaks_a_rule_is_found_out(engine: httpx.Client, tamper: Tamper, rules: set[str]) -> None:
    with httpx.Client(transport=Engine(tamper), base_url="http://localhost", headers=engine.headers) as client:
        findings = list(check_engine(client, prefix="conformance-test", rules=rules, patience_seconds=0))
    assert set(broken(findings)) == rules
    assert all(each.expected and each.found for each in findings)


def test_an_engine_that_is_not_there_breaks_what_is_asked_first_and_the_rest_is_skipped() -> None:
    with httpx.Client(base_url="http://127.0.0.1:9") as client:
        findings = list(check_engine(client, prefix="conformance-test", rules=["R01", "R07", "R40", "R61"]))
    assert [each.outcome for each in findings] == ["broken", "skipped", "skipped", "skipped"]
    assert "ConnectError" in findings[0].found
    assert "none could be sent" in findings[1].reason


def test_the_rules_in_the_reference_are_those_of_the_code() -> None:
    page = (ROOT / "docs/reference/ingestion-api.md").read_text()
    documented = re.findall(r"^\| (R\d+) \| (yes|if offered) \| (.*) \|$", page, re.MULTILINE)
    known = [(rule.id, "yes" if rule.required else "if offered", rule.says) for rule in RULES.values()]
    assert documented == sorted(known)


@pytest.mark.system
@pytest.mark.database
def test_the_command_checks_an_engine_and_prints_a_line_a_rule(tmp_path: Path) -> None:
    with prepared(tmp_path) as environment, serving(environment) as url:
        checking = ["conformance", "ingestion", url, "--token", person_token(environment)]
        outcome = CliRunner().invoke(app, checking)
        as_json = CliRunner().invoke(app, [*checking, "--rule", "R01", "--json"])
    *lines, summary = outcome.stdout.splitlines()
    assert outcome.exit_code == 0, outcome.stdout
    assert [line[2:5] for line in lines] == sorted(RULES)
    assert summary.startswith(f"{sum(line.startswith('✓') for line in lines)} kept, 0 broken, ")
    (rule,) = json.loads(as_json.stdout)["rules"]
    assert rule == {
        "id": "R01",
        "says": "`GET /healthz` says that the engine is well",
        "required": True,
        "outcome": "kept",
        "expected": "",
        "found": "",
        "reason": "",
    }


def test_what_a_token_is_not_enough_for_is_skipped_and_so_is_its_own_rule_without_one(engine: httpx.Client) -> None:
    engine.headers.update(bearing(COMPONENTS_TOKEN, "token"))
    (changes,) = check_engine(engine, prefix="conformance-test", rules=["R67"])
    assert (changes.outcome, "is not enough: The token of Atlas' components" in changes.reason) == ("skipped", True)
    del engine.headers["Authorization"]
    (unsigned,) = check_engine(engine, prefix="conformance-test", rules=["R16"])
    assert (unsigned.outcome, unsigned.reason) == ("skipped", "no token was given")


def test_a_broken_rule_ends_the_command_with_status_1() -> None:
    outcome = CliRunner().invoke(app, ["conformance", "ingestion", "http://127.0.0.1:9", "--rule", "R01"])
    line, summary = outcome.stdout.splitlines()
    assert outcome.exit_code == 1
    assert line.startswith("✗ R01 `GET /healthz` says that the engine is well: expected an answer, found ConnectError")
    assert summary.startswith("0 kept, 1 broken, 0 skipped")


def test_a_rule_that_is_none_is_wrong_usage() -> None:
    outcome = CliRunner().invoke(app, ["conformance", "ingestion", "http://127.0.0.1:9", "--rule", "R00"])
    assert outcome.exit_code == 2
    assert "there is no rule R00" in outcome.stderr


def test_the_reference_engine_keeps_every_rule(engine: httpx.Client) -> None:
    findings = list(check_engine(engine, prefix="conformance-test", patience_seconds=5))
    assert broken(findings) == {}
    assert {each.rule.id for each in findings} == set(RULES)
