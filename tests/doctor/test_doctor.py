"""What the doctor says of each part that is not as it should be, and of one that is."""

import json
import ssl
import stat
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from typer.testing import CliRunner

from atlas.errors import ObjectStoreError
from atlas.states import ComponentState
from benchmark_engine.sandbox.layers import Layer
from doctor import all as all_checks
from doctor import commands, findings, machine, outside, services, stores, tables
from doctor import settings as own_settings
from doctor.findings import Check, Finding, Verdict, found
from storage import records
from storage.objects import DirectoryStore, NoEventsError
from tests import stage
from tests.directory import PASSWORD, SEARCHER, slapd
from tests.receivers import Mailbox, smtp_server
from tests.servers import free_port
from tests.upgrade import kept

BROKEN, DOUBTFUL, WELL = Verdict.BROKEN, Verdict.DOUBTFUL, Verdict.WELL


def told(look: Callable[[], Iterable[Finding]], remedy: str = "mend it") -> dict[Verdict, str]:
    """What a check finds, by verdict."""
    said: dict[Verdict, str] = {}
    for each in found([Check("part", look, remedy)], seconds=30):
        said[each.verdict] = f"{said.get(each.verdict, '')} {each.said} {each.remedy}".strip()
    return said


def nowhere() -> str:
    """Where nobody listens."""
    return f"127.0.0.1:{free_port()}"


def test_a_setting_that_is_wrong_and_one_that_is_misspelt_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_WORKERS", "many")
    monkeypatch.setenv("ATLAS_POL_SECONDS", "3")
    said = told(own_settings.look)
    assert "ATLAS_WORKERS" in said[BROKEN]
    assert "ATLAS_POL_SECONDS is set, but Atlas knows no such variable. Is ATLAS_POLL_SECONDS meant?" in said[DOUBTFUL]
    assert WELL not in said


def test_a_database_without_tables_is_to_be_prepared(tmp_path: Path, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock(), kept.connected(f"sqlite:///{tmp_path / 'empty.sqlite3'}"):
        verdicts = [(each.verdict, each.remedy) for each in tables.look()]
    assert [verdict for verdict, _ in verdicts] == [WELL, BROKEN]
    assert "manage.py prepare" in verdicts[1][1]


def test_a_database_that_does_not_answer_is_broken(django_db_blocker: Any) -> None:
    def look() -> list[Finding]:
        with kept.connected(f"postgresql://atlas@{nowhere()}/atlas"):
            return list(tables.look())

    with django_db_blocker.unblock():
        said = told(look, tables.REMEDY)
    assert "refused" in said[BROKEN]
    assert "DATABASE_URL" in said[BROKEN]


def test_of_postgresql_role_encryption_and_clock_are_looked_at(postgres_url: str, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock(), kept.connected(postgres_url):
        said = [each.said for each in tables.look()]
        clocks = [tables._clock(datetime.now(UTC) + timedelta(seconds=seconds)).verdict for seconds in (0, 10, 60)]
    assert any("may do anything with the server" in each for each in said)
    assert any("does not leave this machine" in each for each in said)
    assert clocks == [WELL, DOUBTFUL, BROKEN]


def test_a_store_that_does_not_answer_is_broken() -> None:
    check = stores.check_of("store", f"s3://key:secret@{nowhere()}/atlas?secure=false")
    assert "no answer" in told(check.look)[BROKEN]


def test_a_store_that_is_only_read_and_tells_of_nothing_is_doubtful(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ObjectStoreError("Access Denied.")

    def silent(*_: object) -> None:
        raise NoEventsError

    monkeypatch.setattr(DirectoryStore, "put", refuse)
    monkeypatch.setattr(DirectoryStore, "changes", silent)
    said = told(stores.check_of("store", str(tmp_path)).look)
    assert "Access Denied" in said[DOUBTFUL]
    assert "does not tell of new objects" in said[DOUBTFUL]
    assert BROKEN not in said


@contextmanager
def web(status: int = 200, certificate: Path | None = None) -> Iterator[int]:
    """A server that lives, and answers everything else with a status; its port."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_an_ingestion_engine_that_is_away_or_refuses_the_token_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_INGESTION_TOKEN", "secret")
    monkeypatch.setenv("ATLAS_INGESTION_URL", f"http://{nowhere()}")
    assert "refused" in told(services.look_at_ingestion)[BROKEN]
    for status, verdict, words in ((401, BROKEN, "ATLAS_INGESTION_TOKEN"), (200, WELL, "has 0 tags")):
        with web(status) as port:
            monkeypatch.setenv("ATLAS_INGESTION_URL", f"http://127.0.0.1:{port}")
            assert words in told(services.look_at_ingestion)[verdict]


def test_a_dashboard_that_is_away_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_DASHBOARD_URL", f"http://{nowhere()}")
    assert "refused" in told(services.look_at_dashboard)[BROKEN]


def test_a_certificate_that_ends_soon_is_doubtful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = tmp_path / "both.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 5 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(certificate), "-out", str(tmp_path / "one.pem")]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (tmp_path / "one.pem").read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with web(certificate=certificate) as port:
        monkeypatch.setenv("ATLAS_DASHBOARD_URL", f"https://localhost:{port}")
        said = told(services.look_at_dashboard)
    assert "It holds for 4 more days" in said[DOUBTFUL]
    assert f"https://localhost:{port}" in said[WELL]


@pytest.mark.django_db
@pytest.mark.any_database
def test_components_that_are_down_and_benchmarks_that_wait_are_told() -> None:
    stage.queue(stage.add_model(), stage.add_version())
    now = timezone.now()
    records.report_status("storage", ComponentState.DOWN, "no answer", now=now)
    records.report_status("ingestion", ComponentState.HEALTHY, "answers", now=now)
    seen = {each.part: each for each in services.look_at_components()}
    assert (seen["storage"].verdict, seen["storage"].said) == (BROKEN, "no answer")
    assert (seen["engine"].verdict, seen["ingestion"].verdict, seen["training"].verdict) == (BROKEN, WELL, DOUBTFUL)
    assert "A benchmark has waited for" in seen["queue"].said
    records.pause(by="ilse", reason="", now=now)
    assert {each.part: each for each in services.look_at_components()}["queue"].said == "It is paused."


@pytest.mark.parametrize(
    ("required", "sound", "verdict"), [(True, False, BROKEN), (False, True, DOUBTFUL)], ids=["needed", "one more"]
)
def test_a_layer_of_the_sandbox_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, required: bool, sound: bool, verdict: Verdict
) -> None:
    layer = SimpleNamespace(name=Layer.NAMESPACES, required=required, holds=False)
    monkeypatch.setattr(machine, "check", lambda: SimpleNamespace(layers=(layer,), sound=sound))
    assert Layer.NAMESPACES in told(machine.look_at_sandbox)[verdict]


def test_a_disk_that_is_full_or_cannot_be_written_to_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, verdict in ((machine.LITTLE, WELL), (machine.LITTLE - 1, DOUBTFUL), (machine.TOO_LITTLE - 1, BROKEN)):
        monkeypatch.setattr("shutil.disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert machine.room_in(tmp_path / "not" / "yet").verdict == verdict
    monkeypatch.setattr("os.access", lambda *_: False)
    assert machine.room_in(tmp_path).said == f"{tmp_path} cannot be written to."


def test_a_secret_that_everybody_may_read_is_doubtful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush")
    monkeypatch.setenv("ATLAS_SECRET_KEY_FILE", str(secret))
    secret.chmod(stat.S_IRUSR | stat.S_IROTH)
    assert f"chmod 600 {secret}" in told(machine.look_at_secrets)[DOUBTFUL]
    secret.chmod(stat.S_IRUSR)
    assert DOUBTFUL not in told(machine.look_at_secrets)


def test_a_secret_that_is_not_there_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_SECRET_KEY_FILE", str(tmp_path / "nothing"))
    assert "No such file" in told(machine.look_at_secrets)[BROKEN]


def test_a_directory_that_refuses_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    with slapd() as directory:
        settings = {"URL": directory.server.url, "CA_FILE": str(directory.ca_file), "BIND_DN": SEARCHER}
        for name, value in settings.items():
            monkeypatch.setenv(f"ATLAS_LDAP_{name}", value)
        for password, verdict in ((PASSWORD, WELL), ("wrong", BROKEN)):
            monkeypatch.setenv("ATLAS_LDAP_BIND_PASSWORD", password)
            assert set(told(outside.look_at_directory)) == {verdict}


def test_a_mail_server_that_is_away_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("ATLAS_SMTP_URL", f"smtp://127.0.0.1:{port}")
    monkeypatch.setenv("ATLAS_MAIL_FROM", "atlas@example.org")
    assert "refused" in told(outside.look_at_mail)[BROKEN]
    with smtp_server(Mailbox(), port):
        assert "takes e-mail" in told(outside.look_at_mail)[WELL]


def test_a_folder_without_backups_is_broken(tmp_path: Path) -> None:
    assert "There is none" in told(outside.check_of_backups(tmp_path / "backups").look)[BROKEN]


def test_a_check_that_hangs_is_broken_and_keeps_nothing_waiting() -> None:
    hangs = threading.Event()

    def hang() -> Iterator[Finding]:
        yield findings.well("slow", "It begins.")
        hangs.wait()

    seen = list(found([Check("slow", hang, "wait"), Check("quick", list, "")], seconds=0.2))
    hangs.set()
    assert [each.verdict for each in seen] == [WELL, BROKEN]
    assert "no answer within 0.2 seconds" in seen[1].said


@pytest.mark.parametrize(("verdict", "status"), [(WELL, 0), (DOUBTFUL, 0), (BROKEN, 1)])
def test_the_command_fails_if_anything_is_broken(
    monkeypatch: pytest.MonkeyPatch, verdict: Verdict, status: int
) -> None:
    finding = Finding(part="queue", verdict=verdict, said="It is so.", remedy="Do this.")
    monkeypatch.setattr(all_checks, "checks", lambda backups: [Check("queue", lambda: [finding], "")])
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
    for_people = CliRunner().invoke(commands.app, [])
    assert for_people.exit_code == status
    assert "queue: It is so.\n  Do this.\n" in for_people.output
    for_programs = json.loads(CliRunner().invoke(commands.app, ["--json"]).output)
    assert for_programs == [{"part": "queue", "verdict": verdict, "said": "It is so.", "remedy": "Do this."}]
