"""Pages of gates: champions and rules, the gate of one model, promotions and their history."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from atlas.access import Role, Via
from atlas.gates import Outcome, Rule
from atlas.watching import GateCheck, GateKind, Stage
from storage import queries, records
from tests import stage
from tests.atlas_web.conftest import Count, Read, Shown
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db
USE_CASE = "damage detector"
PASSED = GateCheck(kind=GateKind.METRIC, passed=True, sentence="F1 is 0.8 on impacts v1, at least 0.75 is asked.")
GATE = "/gates/?use_case=damage+detector"


@pytest.fixture
def model() -> int:
    pk = stage.add_model()
    stage.finish(pk, stage.add_version(), result(0.8))
    return pk


@pytest.fixture
def administrator(reader: Client) -> Client:
    records.set_role(User.objects.get(username="ilse").pk, Role.ADMINISTRATOR)
    return reader


def add_rule(threshold: float = 0.85) -> int:
    rule = Rule(kind=GateKind.METRIC, metric="f1", threshold=threshold)
    return records.add_gate_rule(USE_CASE, rule, by="jan", now=NOON).pk


def move(model: int, to: Stage = Stage.CHAMPION, why: str = "It is better.", champion: int | None = None) -> None:
    outcome = Outcome(use_case=USE_CASE, checks=(PASSED,), champion=champion)
    records.set_stage(model, to, by="jan", why=why, outcome=outcome, now=NOON)


def shown(answer: Any) -> Shown:
    response: HttpResponse = answer
    return Shown(response.status_code, response.getvalue().decode())


# Promotions ---------------------------------------------------------------------------------------------------------


def test_a_model_s_page_asks_its_gate_once_it_is_shown(read: Read, model: int) -> None:
    assert f'hx-get="/models/{model}/gate/"' in read(f"/models/{model}/").html
    part = read(f"/models/{model}/gate/", hx_request="true")
    assert "<html" not in part.html
    assert "No rule is set for damage detector, so every model passes." in part.text


def test_a_gate_shows_each_check_and_the_buttons_to_those_who_may_press_them(
    read: Read, writer: Client, model: int
) -> None:
    add_rule(0.75)
    records.add_gate_rule(USE_CASE, Rule(kind=GateKind.DRIFT, threshold=0.2), by="jan", now=NOON)
    page = read(f"/models/{model}/gate/")
    assert "It does not pass 1 of 2 checks." in page.text
    assert "Passed: F1 is 0.8 on impacts v1, at least 0.75 is asked." in page.text
    assert "Not passed: How far impacts v1 lies from the training data is not known" in page.text
    assert 'value="champion" disabled' in page.html
    assert 'value="candidate">' in page.html
    records.set_role(User.objects.get(username="ilse").pk, Role.VIEWER)
    assert "<button" not in read(f"/models/{model}/gate/", hx_request="true").html


def test_a_model_is_promoted_with_a_reason(read: Read, writer: Client, model: int) -> None:
    add_rule(0.75)
    answer = writer.post(f"/models/{model}/stage/", {"stage": "champion", "why": " Half the misses. "})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/models/{model}/")
    page = read(f"/models/{model}/")
    assert "Forest-1.0.0-1 is now champion of damage detector." in page.text
    assert "Champion" in page.text
    assert "Moved by ilse from no stage to champion: Half the misses." in page.text
    assert "Champion since" in read(f"/models/{model}/gate/").text
    (change,) = queries.stage_changes()
    assert (change.by, change.why, change.checks[0]["passed"]) == ("ilse", "Half the misses.", True)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"stage": "champion", "why": "now"}, "It does not pass the gate. F1 is 0.8 on impacts v1, at least 0.85"),
        ({"stage": "candidate", "why": " "}, "Say why, for those who look at the history later."),
        ({"stage": "candidate", "why": "x" * 2001}, "Ensure this value has at most 2000 characters"),
        ({"stage": "retired", "why": "again"}, "Forest-1.0.0-1 is retired already."),
    ],
)
def test_a_refusal_says_why_in_its_place(writer: Client, model: int, sent: dict[str, str], says: str) -> None:
    add_rule()
    move(model, Stage.RETIRED)
    page = shown(writer.post(f"/models/{model}/stage/", sent))
    assert page.status == 422
    assert says in page.text
    assert queries.stage_changes().count() == 1


def test_what_has_no_gate_has_no_page(read: Read, writer: Client) -> None:
    broken = stage.add_invalid_file("broken.atlas", "It is not a zip file.")
    assert read(f"/models/{broken}/gate/").status == 404
    assert writer.post(f"/models/{broken}/stage/", {"stage": "candidate", "why": "now"}).status_code == 404
    assert "Asking the gate" not in read(f"/models/{broken}/").text


def test_lists_mark_champions_and_candidates(read: Read, model: int) -> None:
    candidate = stage.add_model("Forest-2.0.0-2")
    move(model)
    move(candidate, Stage.CANDIDATE)
    rows = read("/models/").rows()
    assert [("Champion" in row, "Candidate" in row) for row in rows] == [(False, True), (True, False)]
    assert "Forest-1.0.0 -1 Champion" in read("/models/?stage=champion").rows()[0]
    assert len(read("/models/?stage=champion").rows()) == 1
    assert "Champion" in read("/leaderboard/").rows()[0]


# Gates --------------------------------------------------------------------------------------------------------------


def test_gates_are_empty_before_there_is_a_model(read: Read) -> None:
    assert "No use case yet" in read("/gates/").text


def test_gates_tell_of_champions_candidates_and_rules(read: Read, model: int) -> None:
    add_rule()
    stage.add_model("Locator-1.0.0-1", use_case="part locator")
    move(model, why="The first one.")
    for number in range(2, 9):
        move(stage.add_model(f"Forest-{number}.0.0-{number}"), Stage.CANDIDATE)
    page = read("/gates/").text
    assert "Forest-1.0.0 -1 since 02 Mar 12:00, by jan: The first one." in page
    assert "and 2 more" in page
    assert "F1 is at least 0.85." in page
    assert "None yet. Promote a model on its own page" in page
    assert "No rule is set, so every model passes." in page
    one = read(GATE).text
    assert "Locator" not in one
    assert "None yet" not in one


def test_a_page_of_gates_costs_as_many_queries_however_many_there_are(queries_of: Count, model: int) -> None:
    move(model)
    add_rule()
    few = queries_of("/gates/")
    for number in range(2, 6):
        other = stage.add_model(f"Other-{number}.0.0-{number}", use_case=f"use case {number}")
        outcome = Outcome(use_case=f"use case {number}", checks=())
        records.set_stage(other, Stage.CHAMPION, by="jan", why="now", outcome=outcome, now=NOON)
    assert queries_of("/gates/") == few


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule(kind=GateKind.BENCHMARKED), "It has a result on the newest version of each of its datasets."),
        (Rule(kind=GateKind.METRIC, threshold=2), "The primary metric is at least as good as 2."),
        (Rule(kind=GateKind.METRIC, metric="log_loss", threshold=0.6), "Log loss is at most 0.6."),
        (Rule(kind=GateKind.NOT_WORSE, metric="f1"), "F1 is not worse than the champion's by more than noise."),
        (Rule(kind=GateKind.DRIFT, threshold=0.2), "At most 20 % of the columns have moved from its training data."),
        (Rule(kind=GateKind.NO_ALERT), "No alert about it is open."),
    ],
)
def test_a_rule_is_told_in_a_sentence(read: Read, model: int, rule: Rule, text: str) -> None:
    records.add_gate_rule(USE_CASE, rule, by="jan", now=NOON)
    assert text in read("/gates/").text


def test_rules_are_added_changed_and_deleted(administrator: Client, read: Read, model: int) -> None:
    form = read("/gates/rules/add/?use_case=damage+detector")
    assert '<option value="damage detector" selected>' in form.html
    sent = {"use_case": USE_CASE, "kind": "metric", "metric": "f1", "threshold": "0.85"}
    assert administrator.post("/gates/rules/add/", sent).headers["Location"] == GATE
    pk = queries.gate_rules().get().pk
    assert 'value="0.85"' in read(f"/gates/rules/{pk}/").html
    changed = administrator.post(f"/gates/rules/{pk}/", {"kind": "drift", "metric": "", "threshold": "0.1"})
    assert changed.headers["Location"] == GATE
    assert "At most 10 % of the columns" in read("/gates/").text
    assert administrator.post(f"/gates/rules/{pk}/delete/").status_code == 302
    assert "The gate of damage detector no longer asks: At most 10 %" in read("/gates/").text
    assert not queries.gate_rules().exists()
    assert [action.person for action in queries.actions()] == ["ilse"] * 3


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"use_case": "other"}, "use_case", "No model is for this use case."),
        ({"threshold": ""}, "threshold", "Give the value that the metric has to reach"),
        ({"threshold": "much"}, "threshold", "Write a number, such as 0.85."),
        ({"threshold": "nan"}, "threshold", "Write a number, such as 0.85."),
        ({"kind": "no alert"}, "metric", "is about no metric; leave this empty."),
        ({"kind": "drift", "metric": "", "threshold": "20"}, "threshold", "A share of columns lies between 0 and 1"),
        ({"metric": "f2"}, "metric", "Select a valid choice."),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_beside_its_field(
    administrator: Client, model: int, changes: dict[str, str], field: str, says: str
) -> None:
    sent = {"use_case": USE_CASE, "kind": "metric", "metric": "f1", "threshold": "0.85"}
    page = shown(administrator.post("/gates/rules/add/", sent | changes))
    assert page.status == 422
    assert says in page.html.split(f'id="id_{field}-error">')[1].split("</div>")[0]
    assert not queries.gate_rules().exists()


def test_rules_that_are_gone_are_not_found(administrator: Client) -> None:
    assert administrator.get("/gates/rules/99/").status_code == 404
    assert administrator.post("/gates/rules/99/delete/").status_code == 404


def test_only_administrators_see_the_buttons_of_rules(writer: Client, read: Read, model: int) -> None:
    add_rule()
    assert "Add a rule" not in read("/gates/").text
    assert "Delete" not in read("/gates/").text


# History ------------------------------------------------------------------------------------------------------------


def test_the_history_tells_who_moved_what_and_why_with_the_checks(read: Read, model: int) -> None:
    assert "No changes yet" in read("/gates/history/").text
    move(model, why="The first one.")
    other = stage.add_model("Forest-2.0.0-2")
    move(other, champion=model, why="Half the misses.")
    first, retired, *_ = read("/gates/history/").rows()
    assert "Champion Half the misses. 1 of 1 checks passed" in first
    assert PASSED.sentence in first
    assert "Retired before: champion Forest-2.0.0-2 became champion." in retired
    assert len(read("/gates/history/?q=misses").rows()) == 1
    assert len(read("/gates/history/?after=retired&use_case=damage+detector").rows()) == 1
    records.delete_models([other], "ilse", Via.PAGE, NOON)
    assert "Forest-2.0.0-2 damage detector, deleted" in read("/gates/history/").rows()[0]
