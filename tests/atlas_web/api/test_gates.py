"""Gates, stages and champions over the API."""

import pytest

from atlas.access import Verb, Via
from atlas.api import Champion, GateReport, GateRuleEntry, ModelSummary, Page, StageEntry
from atlas.watching import GateKind, Stage
from storage import queries
from storage.models import Model
from tests import stage
from tests.atlas_web.api.conftest import Script
from tests.comparing import compared
from tests.samples import result

pytestmark = pytest.mark.django_db
USE_CASE = "damage detector"
RULES = "gates/rules"
AS_GOOD = {"use_case": USE_CASE, "kind": "metric", "metric": "f1", "threshold": 0.8}


@pytest.fixture
def model() -> int:
    pk = stage.add_model()
    stage.finish(pk, stage.add_version(), result(0.8))
    return pk


def promote(script: Script, model: str | int, to: Stage = Stage.CHAMPION) -> StageEntry:
    answer = script("POST", f"models/{model}/stage", {"stage": to, "why": " It is better. "})
    assert answer.status == 200, answer.content
    return StageEntry.model_validate(answer.document)


def test_a_gate_without_rules_is_passed_and_says_so(reading: Script, model: int) -> None:
    report = GateReport.model_validate(reading.get(f"models/{model}/gate"))
    assert (report.model.name, report.use_case, report.stage) == ("Forest-1.0.0-1", USE_CASE, None)
    assert (report.passed, report.checks) == (True, ())
    assert report.sentence == "No rule is set for damage detector, so every model passes."


def test_rules_are_made_changed_and_deleted(administering: Script, model: int) -> None:
    made = administering("POST", RULES, AS_GOOD)
    assert made.status == 201
    rule = GateRuleEntry.model_validate(made.document)
    assert (rule.kind, rule.metric, rule.threshold, rule.by) == (GateKind.METRIC, "f1", 0.8, "administrator")
    assert GateReport.model_validate(administering.get(f"models/{model}/gate")).checks[0].passed
    changed = administering("PUT", f"{RULES}/{rule.id}", {"kind": "metric", "threshold": 0.9})
    assert (changed.status, changed.document["metric"], changed.document["threshold"]) == (200, "", 0.9)
    report = GateReport.model_validate(administering.get("models/Forest-1.0.0-1/gate"))
    assert [check.sentence for check in report.checks] == ["F1 is 0.8 on impacts v1, at least 0.9 is asked."]
    assert not report.passed
    assert Page[GateRuleEntry].model_validate(administering.get(f"{RULES}?use_case=damage+detector")).total == 1
    assert Page[GateRuleEntry].model_validate(administering.get(f"{RULES}?use_case=other")).total == 0
    assert administering("DELETE", f"{RULES}/{rule.id}").status == 204
    assert administering("DELETE", f"{RULES}/{rule.id}").status == 404
    assert administering("PUT", f"{RULES}/{rule.id}", {"kind": "benchmarked"}).status == 404
    assert {action.via for action in queries.actions()} == {Via.API}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"use_case": "other"}, "use_case"),
        ({"metric": "f2"}, "metric"),
        ({"threshold": None}, "threshold"),
        ({"kind": "drift", "metric": "", "threshold": 20}, "threshold"),
        ({"kind": "good"}, "kind"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_its_field(
    administering: Script, model: int, changes: dict[str, object], field: str
) -> None:
    refused = administering("POST", RULES, AS_GOOD | changes)
    assert refused.status == 422
    assert [error["field"] for error in refused.document["errors"]] == [field]


def test_a_model_is_promoted_and_the_history_tells_of_it(writing: Script, model: int) -> None:
    candidate = promote(writing, "Forest-1.0.0-1", Stage.CANDIDATE)
    assert (candidate.before, candidate.after, candidate.why) == (None, Stage.CANDIDATE, "It is better.")
    promote(writing, model)
    found = Champion.model_validate(writing.get("use-cases/damage%20detector/champion"))
    assert (found.model, found.name, found.sha256) == (model, "Forest-1.0.0-1", Model.objects.get(pk=model).digest)
    history = Page[StageEntry].model_validate(writing.get("stages?model=Forest-1.0.0-1"))
    assert [(each.before, each.after) for each in history.items] == [
        (Stage.CANDIDATE, Stage.CHAMPION),
        (None, Stage.CANDIDATE),
    ]
    assert Page[StageEntry].model_validate(writing.get("stages?use_case=other")).total == 0
    assert queries.actions()[0].verb == Verb.PROMOTED
    assert GateReport.model_validate(writing.get(f"models/{model}/gate")).stage is Stage.CHAMPION
    listed = Page[ModelSummary].model_validate(writing.get("models?stage=champion"))
    assert [(each.id, each.stage) for each in listed.items] == [(model, Stage.CHAMPION)]
    assert writing.get("models?stage=candidate")["total"] == 0


def test_who_does_not_pass_is_refused_with_each_check_that_fails(administering: Script, model: int) -> None:
    administering("POST", RULES, AS_GOOD | {"threshold": 0.95})
    administering("POST", RULES, {"use_case": USE_CASE, "kind": "drift", "threshold": 0.2})
    refused = administering("POST", f"models/{model}/stage", {"stage": "champion", "why": "now"})
    assert refused.status == 409
    assert [error["message"] for error in refused.document["errors"]] == [
        "F1 is 0.8 on impacts v1, at least 0.95 is asked.",
        "How far impacts v1 lies from the training data is not known: its drift was not measured.",
    ]
    assert administering("GET", "use-cases/damage%20detector/champion").status == 404
    kept = promote(administering, model, Stage.CANDIDATE).checks
    assert [check.passed for check in kept] == [False, False]


@pytest.mark.parametrize("document", [{"stage": "champion"}, {"stage": "champion", "why": " \n"}, {"why": "now"}])
def test_a_request_without_a_reason_or_stage_is_refused(writing: Script, model: int, document: object) -> None:
    assert writing("POST", f"models/{model}/stage", document).status == 422


def test_what_has_no_gate_says_why(writing: Script, model: int) -> None:
    broken = stage.add_invalid_file("broken.atlas", "It is not a zip file.")
    for method, path, document in (
        ("GET", f"models/{broken}/gate", None),
        ("POST", f"models/{broken}/stage", {"stage": "candidate", "why": "now"}),
    ):
        refused = writing(method, path, document)
        assert (refused.status, refused.document["detail"]) == (
            409,
            "No gate is for broken.atlas, since Atlas cannot use its file. It is not a zip file.",
        )
    assert writing("GET", "models/nothing/gate").status == 404
    promote(writing, model)
    again = writing("POST", f"models/{model}/stage", {"stage": "champion", "why": "again"})
    assert (again.status, again.document["detail"]) == (409, "Forest-1.0.0-1 is champion already.")


def test_a_use_case_with_a_slash_has_a_champion_too(writing: Script) -> None:
    model = stage.add_model("Knock-1.0.0-1", use_case="engine/knock")
    promote(writing, model)
    assert writing.get("use-cases/engine%2Fknock/champion")["name"] == "Knock-1.0.0-1"


@pytest.mark.parametrize("keep", [True, False])
def test_two_models_are_compared_event_by_event_where_their_predictions_are_kept(
    administering: Script, keep: bool
) -> None:
    version = stage.add_version()
    compared("Good-1.0.0-1", 0.95, version=version, seed=2)
    compared("Bad-1.0.0-1", 0.8, version=version, seed=3, keep=keep)
    administering("POST", RULES, {"use_case": USE_CASE, "kind": "not worse"})
    assert GateReport.model_validate(administering.get("models/Bad-1.0.0-1/gate")).checks[0].sentence == (
        "There is no champion yet to compare it with."
    )
    promote(administering, "Good-1.0.0-1")
    bad = GateReport.model_validate(administering.get("models/Bad-1.0.0-1/gate")).checks[0]
    assert not bad.passed
    how = ", paired on 400 events" if keep else ""
    assert "lower" in bad.sentence
    assert bad.sentence.endswith(
        f" than that of the champion Good-1.0.0-1 on impacts v1{how}: worse by more than noise."
    )
    own = GateReport.model_validate(administering.get("models/Good-1.0.0-1/gate")).checks[0]
    assert (own.passed, own.sentence) == (True, "It is the champion itself.")
