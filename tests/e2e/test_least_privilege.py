"""The real processes, each with its own role in the database and its own user in the object store: none needs more.

PostgreSQL logs each statement that it does not permit. What the object store refuses keeps a step from its end.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from atlas.api import AlertRuleRequest, ChannelRequest, PredictionRequest
from atlas.client import AtlasClient
from atlas.gates import Rule
from atlas.states import State
from atlas.watching import AlertKind, ChannelKind, GateKind, Stage
from storage.grants import Component
from storage.policies import USERS
from tests import bundles
from tests.atlas_web.routes import cases
from tests.e2e.installation import Installation, answers
from tests.servers import Server, free_port

pytestmark = pytest.mark.system

WAIT_SECONDS = 280.0
PASSWORD = "correct horse"
USE_CASE = "damage detector"
DENIED = re.compile(r"ERROR:  (permission denied .*)\n.*STATEMENT:  (.*)")


@dataclass(frozen=True, kw_only=True)
class Company:
    """An Atlas whose components have just the rights that they need."""

    installation: Installation
    urls: dict[Component, dict[str, str]]
    postgres_log: Path

    def start(self, component: Component, *command: str) -> None:
        """Start a process with the rights of its component alone."""
        with self._acting_as(component):
            self.installation.start(*command)

    def refused(self) -> list[tuple[str, str]]:
        """What PostgreSQL did not permit: its words, and the statement."""
        return DENIED.findall(self.postgres_log.read_text())

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait until a condition holds, or PostgreSQL refuses something, which is shown."""
        self.installation.wait_for(lambda: condition() or self.refused(), what)
        assert self.refused() == []

    @contextmanager
    def _acting_as(self, component: Component) -> Iterator[None]:
        environment = self.installation.environment
        before = dict(environment)
        environment.update(self.urls[component])
        yield
        environment.update(before)


@pytest.fixture
def company(tmp_path: Path, mortal_postgres: Server, s3_url: str) -> Iterator[Company]:
    """An Atlas that `manage.py prepare` has made ready."""
    admin = s3_url.replace("/atlas?", "/company?")
    urls = {each: signing_in(each, mortal_postgres.url, admin) for each in Component}
    installation = Installation(
        tmp_path,
        database_url=mortal_postgres.url,
        object_store=admin,
        object_store_admin=admin,
        admin_name="ilse",
        admin_password=PASSWORD,
        workers=1,
        deliver="false",
        **{f"database_url_{each}": known["DATABASE_URL"] for each, known in urls.items()},
        **{f"object_store_{each}": urls[each]["ATLAS_OBJECT_STORE"] for each in USERS},
    )
    try:
        installation.manage("prepare")
        yield Company(installation=installation, urls=urls, postgres_log=mortal_postgres.log)
    finally:
        installation.close()


def signing_in(component: Component, database: str, admin: str) -> dict[str, str]:
    """The variables with which a component signs in."""
    bucket = "company-ingestion" if component is Component.INGESTION else "company"
    signed_in = admin.replace("atlas:atlas-secret@", f"company-{component}:secret-of-{component}@")
    store = signed_in.replace("/company?", f"/{bucket}?")
    role = f"atlas_{component}:secret-of-{component}"
    return {
        "DATABASE_URL": database.replace("//atlas@", f"//{role}@"),
        "ATLAS_OBJECT_STORE": store,
        "ATLAS_INGESTION_STORE": store,
    }


class Visitor:
    """A person in a browser, at one of the two engines' pages."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=60, follow_redirects=True)

    def close(self) -> None:
        """Leave."""
        self._http.close()

    def get(self, path: str) -> httpx.Response:
        """The page at an address."""
        return self._http.get(path)

    def post(self, path: str, **fields: Any) -> str:
        """The page that is shown after a form was sent from the page at an address; it must not be the form again."""
        self.get(path)
        token = self._http.cookies["csrftoken"]
        sent = self._http.post(path, data={"csrfmiddlewaretoken": token, **fields}, follow_redirects=False)
        assert sent.status_code in (200, 302), (path, sent.status_code, sent.text)
        return sent.text

    def sign_in(self) -> None:
        """Sign in as the first administrator, after having been wrong once."""
        self.post("/login/", username="ilse", password="wrong")
        assert self.post("/login/", username="ilse", password=PASSWORD) == ""


@pytest.fixture
def visitor(company: Company) -> Iterator[Callable[[str], Visitor]]:
    """Makes visitors, who have signed in."""
    made: list[Visitor] = []

    def make(url: str) -> Visitor:
        made.append(Visitor(url))
        made[-1].sign_in()
        return made[-1]

    yield make
    for each in made:
        each.close()


def start_all(company: Company) -> str:
    """Start all processes; where the dashboard answers."""
    installation, url = company.installation, f"http://127.0.0.1:{(port := free_port())}"
    company.start(Component.DASHBOARD, "runserver", f"127.0.0.1:{port}", "--noreload")
    company.start(Component.INGESTION, "run_ingestion", "--port", str(installation.ingestion_port))
    company.start(Component.ENGINE, "run_engine")
    company.start(Component.MESSENGER, "send_alerts")
    installation.wait_for(lambda: answers(f"{url}/login/"), "the dashboard")
    installation.wait_for(lambda: answers(f"{installation.environment['ATLAS_INGESTION_URL']}/healthz"), "ingestion")
    return url


def send_data(company: Company, name: str, *, wrong: bool = False) -> None:
    """Send 200 labelled rows, whose labels are the wrong ones if so."""
    rows = bundles.rows(200)
    path = company.installation.folder / f"{name}.csv"
    rows.assign(label=bundles.labels(-rows if wrong else rows), drive=name).to_csv(path, index=False)
    company.installation.ingestion.upload_recording(path)


def benchmark_twice(company: Company, client: AtlasClient) -> str:
    """A model that is sent, benchmarked on one version, and found wanting on the next one; its name."""
    hook = ChannelRequest(name="hook", kind=ChannelKind.WEBHOOK, address=f"http://127.0.0.1:{free_port()}/")
    channel = client.make_channel(hook)
    low = AlertRuleRequest(name="Low", kind=AlertKind.METRIC, threshold=0.9, channels=(channel.id,))
    client.make_alert_rule(low)
    send_data(company, "monday")
    company.installation.ingestion.create_tag("crash-tests")
    bundle = bundles.packed(company.installation.folder / "packed")
    client.push(bundle)
    assert [each.state for each in client.wait(bundle.stem, timeout_seconds=WAIT_SECONDS)] == [State.DONE]
    send_data(company, "tuesday", wrong=True)
    company.wait_for(lambda: list(client.alerts()), "an alert")
    company.wait_for(lambda: company.installation.rows(TRIED), "an attempt to send it, kept")
    return bundle.stem


TRIED = "SELECT 1 FROM storage_delivery WHERE problem <> ''"
LIVE = "SELECT 1 FROM storage_inference WHERE kind = 'live' AND state = 'done'"
NAMES = ("model", "benchmark", "explained", "inference", "alert", "rule", "channel", "gate_rule", "token", "message")
KEYS = """
    SELECT (SELECT max(id) FROM storage_model), (SELECT min(id) FROM storage_benchmark),
        (SELECT max(id) FROM storage_benchmark), (SELECT min(id) FROM storage_inference),
        (SELECT max(id) FROM storage_alert), (SELECT max(id) FROM storage_alertrule),
        (SELECT max(id) FROM storage_channel), (SELECT max(id) FROM storage_gaterule),
        (SELECT max(id) FROM storage_apitoken), (SELECT max(id::text) FROM storage_delivery)
"""


def act(company: Company, client: AtlasClient, model: str) -> None:
    """Do what people do with a model that has been benchmarked."""
    client.acknowledge(next(iter(client.alerts())).id, "seen")
    rows = company.installation.folder / "rows.csv"
    bundles.rows(5).to_csv(rows, index=False)
    client.wait_for_prediction(client.predict_file(model, rows).id, timeout_seconds=WAIT_SECONDS)
    client.wait_for_prediction(client.predict(model, PredictionRequest(dataset="crash-tests:1", most=5)).id)
    client.watch_live(model, "crash-tests")
    company.wait_for(lambda: company.installation.rows(LIVE), "predictions on live data")
    client.add_gate_rule(USE_CASE, Rule(kind=GateKind.BENCHMARKED))
    client.set_stage(model, Stage.CHAMPION, "the only one")
    again = client.run_again(next(iter(client.benchmarks())).id)
    client.cancel(again.id)


def faults(company: Company, visitor: Visitor) -> list[tuple[str, int]]:
    """The dashboard's pages that an administrator cannot open, with their statuses."""
    names = [
        "model",
        "benchmark",
        "explained",
        "inference",
        "alert",
        "rule",
        "channel",
        "gate_rule",
        "token",
        "message",
    ]
    keys = dict(zip(names, company.installation.rows(KEYS)[0], strict=True))
    paths = {
        case.address.format(dropped=keys["explained"], **keys).replace("impacts", "crash-tests")
        for case in cases()
        if (case.method, case.role, case.status) == ("GET", "administrator", 200)
    }
    found = [(path, visitor.get(path).status_code) for path in sorted(paths)]
    return [(path, status) for path, status in found if status >= 500]


def administer(company: Company, visitor: Visitor) -> None:
    """Do what only the administration's pages do."""
    [(benchmark,)] = company.installation.rows("SELECT min(id) FROM storage_benchmark")
    assert visitor.post(f"/admin/storage/benchmark/{benchmark}/change/", priority="7") == ""
    assert company.installation.rows(f"SELECT priority FROM storage_benchmark WHERE id = {benchmark}") == [(7,)]
    person = {"username": "jan", "usable_password": "false", "role": "viewer"}
    assert visitor.post("/admin/auth/user/add/", **person) == ""
    [(jan,)] = company.installation.rows("SELECT id FROM auth_user WHERE username = 'jan'")
    assert visitor.post(f"/admin/auth/user/{jan}/delete/", post="yes") == ""
    for button in ("pause", "resume"):
        visitor.post(f"/queue/{button}/")


def try_what_is_forbidden(company: Company) -> None:
    """Sign in as the engine and read the user table, and as the dashboard and write a metric."""
    attempts = {
        Component.ENGINE: "SELECT password FROM auth_user",
        Component.DASHBOARD: "INSERT INTO storage_metric (name) VALUES ('f1')",
    }
    for component, statement in attempts.items():
        connection = psycopg2.connect(company.urls[component]["DATABASE_URL"])
        with pytest.raises(psycopg2.errors.InsufficientPrivilege), connection, connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()


def test_each_component_does_its_work_and_is_refused_all_else(
    company: Company, visitor: Callable[[str], Visitor]
) -> None:
    url = start_all(company)
    ilse = visitor(url)
    made = ilse.post("/account/tokens/", name="job", scopes=["read", "write", "delete", "administer"], days="")
    secret = re.search(r'id="secret"[^>]*>([^<]+)<', made)
    assert secret, made
    with AtlasClient(url, secret[1]) as client:
        model = benchmark_twice(company, client)
        company.installation.manage("prepare")  # as an update does while others still run
        act(company, client, model)
        administer(company, ilse)
        assert faults(company, ilse) == []
        at_ingestion = visitor(company.installation.environment["ATLAS_INGESTION_URL"])
        for path in ("/recordings/", "/recordings/monday/", "/tags/crash-tests/", "/new-tag/", "/send/"):
            assert at_ingestion.get(path).status_code == 200, path
        client.delete_model(model)
    removals, objects = "SELECT count(*) FROM storage_removal", company.installation.objects
    company.wait_for(lambda: company.installation.rows(removals) == [(0,)], "the model's objects to go")
    assert [each.key for folder in ("models/", "predictions/", "explanations/") for each in objects.list(folder)] == []
    assert company.refused() == []
    try_what_is_forbidden(company)
    assert [said for said, _ in company.refused()] == [
        "permission denied for table auth_user",
        "permission denied for table storage_metric",
    ]
