"""The commands that speak to a dashboard, against the real API."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer
from typer.testing import CliRunner, Result

from atlas.access import Right
from atlas.cli import app
from atlas.client import AtlasClient
from atlas.gates import Rule
from atlas.states import State
from atlas.watching import GateKind
from storage import records
from storage.models import Author, Benchmark, Inference, Model
from tests import alerts, dashboards, stage
from tests.atlas_web import predicting
from tests.bundles import packed
from tests.comparing import compared
from tests.samples import NOON, result

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
COMMAND = str(Path(sys.executable).with_name("atlas"))


@pytest.fixture(autouse=True)
def dashboard(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a person who has set up the command."""
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "GITHUB_ACTIONS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ATLAS_URL", live_server.url)
    monkeypatch.setenv("ATLAS_TOKEN", dashboards.token())


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return packed(tmp_path / "mine")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def said(*arguments: object) -> Any:
    """The JSON document that a command prints when all is well."""
    outcome = run(*arguments, "--json")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    return json.loads(outcome.stdout)


def words(*arguments: object) -> str:
    """What a command prints when all is well, with single spaces."""
    outcome = run(*arguments)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    return " ".join(outcome.stdout.split())


def assert_refused(outcome: Result, says: str) -> None:
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("error: ")
    assert outcome.stderr.count("\n") == 1
    assert says in outcome.stderr


def test_whoami() -> None:
    assert words("whoami").startswith("Name administrator Role administrator Rights read, write, delete, administer")
    assert said("whoami")["rights"] == ["read", "write", "delete", "administer"]


def test_push_sends_bundles_and_says_which_were_there(bundle: Path, tmp_path: Path) -> None:
    dashboards.take_in(bundle)
    other = packed(tmp_path / "mine", version="2.0.0")
    outcome = run("push", bundle, other)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout == f"{bundle.stem}: was here already\n{other.stem}: sent\n"
    third = packed(tmp_path / "mine", version="3.0.0")
    assert said("push", third)["models"] == [
        {"model": third.stem, "key": f"models/{third.name}", "known": False, "id": None}
    ]


def test_push_sends_nothing_if_one_of_the_bundles_is_damaged(bundle: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.atlas"
    damaged.write_bytes(bundle.read_bytes()[:-100])
    assert_refused(run("push", bundle, damaged), "damaged.atlas")
    assert list(dashboards.objects().list()) == []


def test_push_can_wait_for_the_benchmarks(bundle: Path) -> None:
    model, version = dashboards.take_in(bundle), stage.add_version(1, tag="crash-tests")
    stage.finish(model, version, result(0.75))
    assert f"{bundle.stem}: was here already" in words("push", "--wait", bundle)
    assert [each["state"] for each in said("push", "--wait", bundle)["benchmarks"]] == ["done"]


@pytest.mark.parametrize(("ends", "status"), [(stage.finish, 0), (stage.fail, 1)], ids=["done", "failed"])
def test_wait_succeeds_if_all_benchmarks_have_a_result(ends: Callable[..., int], status: int) -> None:
    ends(stage.add_model("Ash-1"), stage.add_version(1))
    outcome = run("wait", "Ash-1")
    assert outcome.exit_code == status
    assert "Ash-1" in outcome.stdout
    assert "Traceback" not in outcome.output
    as_json = run("wait", "Ash-1", "--json")
    assert (as_json.exit_code, len(json.loads(as_json.stdout)["benchmarks"])) == (status, 1)


def test_wait_says_what_is_missing_when_its_time_is_over() -> None:
    assert_refused(run("wait", "Ash-1", "--timeout", 0), "Atlas knows no model Ash-1")


def test_the_leaderboard_has_the_best_first() -> None:
    version = stage.add_version(1)
    for name, f1 in (("Ash-1", 0.6), ("Birch-1", 0.9)):
        stage.finish(stage.add_model(name), version, result(f1))
    shown = words("leaderboard", "damage detector")
    assert shown.startswith("damage detector on impacts v1, by f1 (higher is better)")
    assert shown.index("Birch-1") < shown.index("Ash-1")
    asked = said("leaderboard", "--tag", "impacts", "--version", 1, "--metric", "accuracy")
    assert (asked["metric"], [row["tied"] for row in asked["rows"]]) == ("accuracy", [True, True])
    assert "No model has a value of beauty there." in words("leaderboard", "--metric", "beauty")
    assert_refused(run("leaderboard", "cooking"), "Use cases: damage detector")


def test_models_are_compared_with_what_the_evidence_says() -> None:
    version = stage.add_version(1)
    ash, birch = compared("Ash", 0.7, version=version, seed=1), compared("Birch", 0.95, version=version, seed=2)
    shown = words("compare", "Ash", "Birch")
    assert "B is better than A" in shown
    assert f"A {ash} Ash" in shown
    assert f"B {birch} Birch" in shown
    assert "B against A: paired bootstrap, 400 events" in shown
    assert "\\u" not in shown
    assert [each["id"] for each in said("compare", birch, ash)["benchmarks"]] == [birch, ash]


def test_download_writes_the_bundles_that_were_sent(bundle: Path, tmp_path: Path) -> None:
    dashboards.take_in(bundle)
    outcome = run("download", bundle.stem, "-o", tmp_path / "new" / "folder")
    fetched = tmp_path / "new" / "folder" / bundle.name
    assert (outcome.exit_code, outcome.stdout) == (0, f"{fetched}\n")
    assert fetched.read_bytes() == bundle.read_bytes()
    asked = said("download", bundle.stem, "-o", tmp_path)
    assert asked == {"bundles": [{"bundle": str(tmp_path / bundle.name), "size_bytes": bundle.stat().st_size}]}


def test_rerun_queues_by_key_and_by_model() -> None:
    ash = stage.add_model("Ash-1")
    first, second = (stage.finish(ash, stage.add_version(number)) for number in (1, 2))
    assert [each["id"] for each in said("rerun", first)["benchmarks"]] == [first]
    assert "Ash-1" in words("rerun", "Ash-1")
    assert Benchmark.objects.get(pk=second).state == State.QUEUED
    assert_refused(run("rerun", "Ash-1"), "Ash-1 has no benchmark that has ended")
    assert_refused(run("rerun", first), "It has not ended yet")


@pytest.mark.parametrize(
    "arguments",
    [
        ("whoami",),
        ("push", "{bundle}"),
        ("wait", "Ash-1"),
        ("leaderboard",),
        ("compare", "1", "2"),
        ("download", "Ash-1"),
        ("rerun", "1"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_each_command_says_in_one_line_that_there_is_no_token(
    arguments: tuple[str, ...], bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATLAS_TOKEN", " ")
    given = [each.format(bundle=bundle) for each in arguments]
    assert_refused(run(*given), "ATLAS_TOKEN is not set. Make a token on the page Account")
    as_json = run(*given, "--json")
    assert (as_json.exit_code, as_json.stderr) == (1, "")
    assert json.loads(as_json.stdout)["error"]["type"] == "SettingsError"


def test_a_token_without_the_right_is_told_so(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_TOKEN", dashboards.token(Right.READ))
    assert_refused(run("push", bundle), "The token lacks the right to write")


def test_texts_of_the_server_cannot_steer_the_terminal() -> None:
    stage.fail(stage.add_model("Ash-1"), stage.add_version(1), "no \x1b[2Jmemory [red]left[/red]")
    stage.finish(stage.add_model("Birch-1"), stage.add_version(2))
    Author.objects.update(name="Eve \x1b[31m[bold]")
    Model.objects.filter(name="Birch-1").update(use_case="a\x1b]0;b")
    failed, board = run("wait", "Ash-1"), run("leaderboard", "a\x1b]0;b")
    assert "\x1b" not in failed.output + board.output
    assert r"no \x1b[2Jmemory [red]left[/red]" in failed.stdout
    assert r"Eve \x1b[31m[bold]" in board.stdout
    assert "\x1b" not in run("wait", "\x1b[2J", "--timeout", 0).stderr


# The real process ----------------------------------------------------------------------------------------------------


def process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
    )  # fmt: skip


def test_a_progress_bar_is_shown_on_a_terminal_only(bundle: Path, tmp_path: Path) -> None:
    dashboards.take_in(bundle)
    piped = process("download", bundle.stem, "-o", tmp_path)
    assert (piped.returncode, piped.stderr) == (0, "")
    shown = process("download", bundle.stem, "-o", tmp_path, FORCE_COLOR="1", TERM="xterm", COLUMNS="80")
    assert shown.returncode == 0
    assert "\N{BOX DRAWINGS HEAVY HORIZONTAL}" in shown.stderr
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout) == piped.stdout


def test_a_dashboard_that_nobody_runs_is_one_line(bundle: Path) -> None:
    outcome = process("push", bundle, ATLAS_URL="http://127.0.0.1:9")
    assert outcome.returncode == 1
    assert outcome.stderr.count("\n") == 1
    assert "Is ATLAS_URL the address of the dashboard?" in outcome.stderr


def test_the_commands_start_without_the_heavy_libraries() -> None:
    program = (
        "import sys\nfrom atlas.cli import app\n"
        "try:\n    app(['whoami'])\nexcept SystemExit as done:\n    assert not done.code\n"
        "print(sorted({'sklearn', 'pandas', 'shap', 'django', 'joblib', 'skops'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stands for an engine: what is asked for is predicted when the client asks how far it is; the keys of that."""
    made: list[int] = []
    wait = AtlasClient.wait_for_prediction

    def predicted(client: AtlasClient, prediction: int, **options: Any) -> Any:
        made.append(prediction)
        predicting.complete(prediction)
        return wait(client, prediction, **options)

    monkeypatch.setattr(AtlasClient, "wait_for_prediction", predicted)
    return made


def test_predictions_of_a_file_are_waited_for_and_shown(tmp_path: Path, engine: list[int]) -> None:
    stage.add_model()
    rows = tmp_path / "mine.csv"
    rows.write_text("peak,rms\n1,2\n")
    shown = words("predict", "Forest-1.0.0-1", rows)
    assert "80 rows" in shown
    assert "speed: 1 rows are new, such as 900; known: 10 to 60" in shown
    document = said("predict", "Forest-1.0.0-1", rows, "--no-explain")
    assert len(document["predicted"]) == 80
    assert [asked.explains for asked in Inference.objects.order_by("pk")] == [True, False]
    assert len(engine) == 2


def test_predictions_of_events_are_printed_for_other_programs(engine: list[int]) -> None:
    stage.add_model()
    stage.add_version(3)
    outcome = run("predict", "Forest-1.0.0-1", "--dataset", "impacts:3", "--event", "a", "--event", "b", "--csv")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout.splitlines()[0].startswith("id,prediction,probability ")
    assert len(outcome.stdout.splitlines()) == 81
    assert Inference.objects.get(pk=engine[0]).events == ["a", "b"]


def test_a_prediction_that_fails_says_why(engine: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    stage.add_model()
    monkeypatch.setattr(predicting, "complete", predicting.fail)
    outcome = run("predict", "Forest-1.0.0-1", "--recording", "drive")
    assert outcome.exit_code == 1
    assert f"Prediction {engine[0]} failed: Column rms is missing." in outcome.stderr
    assert run("predict", "Forest-1.0.0-1").exit_code == 2


def with_rule(threshold: float) -> None:
    """A model whose F1 is 0.8, and a gate that asks for an F1."""
    stage.finish(stage.add_model(), stage.add_version(), result(0.8))
    rule = Rule(kind=GateKind.METRIC, metric="f1", threshold=threshold)
    records.add_gate_rule("damage detector", rule, by="ilse", now=NOON)


def test_gate_says_with_its_exit_status_whether_a_model_passes() -> None:
    with_rule(0.75)
    assert words("gate", "Forest-1.0.0-1") == (
        "passed F1 is 0.8 on impacts v1, at least 0.75 is asked. "
        "Forest-1.0.0-1, damage detector: It passes the one check."
    )
    records.add_gate_rule("damage detector", Rule(kind=GateKind.DRIFT, threshold=0.2), by="ilse", now=NOON)
    failed = run("gate", "Forest-1.0.0-1")
    assert (failed.exit_code, failed.stderr) == (1, "")
    assert [line.split()[0] for line in failed.stdout.splitlines()] == ["passed", "failed", "Forest-1.0.0-1,"]
    assert not any(line.endswith(" ") for line in failed.stdout.splitlines())
    as_json = run("gate", "Forest-1.0.0-1", "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)["passed"]) == (1, False)


@pytest.mark.parametrize("token", [None, "atlas_nonsense"])
def test_gate_has_another_exit_status_where_nobody_can_tell(monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    if token:
        monkeypatch.setenv("ATLAS_TOKEN", token)
    unknown = run("gate", "Nothing-1.0.0-1")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert ("does not take the token" if token else "no model with the key or the name Nothing") in unknown.stderr
    assert json.loads(run("gate", "Nothing-1.0.0-1", "--json").stdout)["error"]["type"] == "ApiError"
    assert run("gate").exit_code == 2


def test_promote_moves_a_model_that_passes_and_champion_tells_of_it() -> None:
    with_rule(0.75)
    assert_refused(run("champion", "damage detector"), "No model is champion of damage detector.")
    told = words("promote", "Forest-1.0.0-1", "--why", "Half the misses.")
    assert told == "Forest-1.0.0-1 is now champion of damage detector."
    assert words("champion", "damage detector") == "Forest-1.0.0-1"
    assert said("champion", "damage detector")["name"] == "Forest-1.0.0-1"
    retired = said("promote", "Forest-1.0.0-1", "--to", "retired", "--why", "It is slow.")
    assert (retired["before"], retired["after"]) == ("champion", "retired")


def test_promote_refuses_what_does_not_pass_and_what_nobody_gave_a_reason_for() -> None:
    with_rule(0.85)
    refused = run("promote", "Forest-1.0.0-1", "--why", "now")
    told = "It does not pass the gate. F1 is 0.8 on impacts v1, at least 0.85 is asked."
    assert_refused(refused, told)
    assert refused.stderr == f"error: {told}\n"
    assert run("promote", "Forest-1.0.0-1", "--why", " ").exit_code == 2
    assert run("promote", "Forest-1.0.0-1").exit_code == 2
    assert run("promote", "Forest-1.0.0-1", "--why", "now", "--to", "best").exit_code == 2


def test_champion_fetches_the_bundle(bundle: Path, tmp_path: Path) -> None:
    dashboards.take_in(bundle)
    words("promote", bundle.stem, "--why", "The first one.")
    use_case = Model.objects.get().use_case
    fetched = Path(words("champion", use_case, "--download", "-o", tmp_path / "fetched"))
    assert fetched == tmp_path / "fetched" / bundle.name
    assert fetched.read_bytes() == bundle.read_bytes()
    assert said("champion", use_case, "--download", "-o", tmp_path / "fetched")["bundle"] == str(fetched)


def test_alerts_shows_what_has_not_recovered_and_acknowledges() -> None:
    assert words("alerts") == "No alert is open."
    alerts.add_alert("It was down", recovered=NOON)
    known, new = alerts.add_alert("It failed"), alerts.add_alert("F1 fell")
    assert "administrator: We know." in words("alerts", "--acknowledge", known, "--note", "We know.")
    shown = words("alerts")
    assert shown.index("F1 fell") < shown.index("It failed")
    assert "It was down" not in shown
    assert [(each["id"], each["state"]) for each in said("alerts")["alerts"]] == [
        (new, "open"), (known, "acknowledged"),
    ]  # fmt: skip
    assert_refused(run("alerts", "--acknowledge", known), "Somebody acknowledged it before")
    assert run("alerts", "--note", "Why?").exit_code == 2
