"""Stages and gates in the tables: rules, promotions, history, and what a model is judged by."""

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from atlas.access import Verb, Via
from atlas.errors import AtlasError, ChampionChangedError, GateNotPassedError, StageError
from atlas.gates import Outcome, Rule
from atlas.watching import AlertKind, GateCheck, GateKind, Stage
from storage import queries, records
from storage.models import Alert, Drift, ModelStage, StageChange
from tests import stage
from tests.samples import NOON, description, result

pytestmark = pytest.mark.django_db
USE_CASE = "damage detector"
PASSED = GateCheck(kind=GateKind.BENCHMARKED, passed=True, sentence="It has a result on impacts v1.")
FAILED = GateCheck(kind=GateKind.NO_ALERT, passed=False, sentence="1 alert about it is open: F1 fell.")


def outcome(*checks: GateCheck, champion: int | None = None) -> Outcome:
    return Outcome(use_case=USE_CASE, checks=checks or (PASSED,), champion=champion)


def move(model: int, to: Stage = Stage.CHAMPION, **changes: Any) -> StageChange:
    known: dict[str, Any] = {"by": "ilse", "why": "It is better.", "outcome": outcome(), "now": NOON}
    return records.set_stage(model, to, **(known | changes))


def stages() -> dict[str, str]:
    return {each.model.name: each.stage for each in ModelStage.objects.select_related("model")}


def history() -> list[tuple[str, str, str]]:
    return [(each.name, each.before, each.after) for each in queries.stage_changes()]


def test_a_new_champion_sends_the_one_before_it_into_retirement() -> None:
    first, second = stage.add_model("Forest-1.0.0-1"), stage.add_model("Forest-2.0.0-2")
    move(first)
    move(second, Stage.CANDIDATE, outcome=None)
    change = move(second, outcome=outcome(champion=first), why="  Half the misses.  ")
    assert stages() == {"Forest-1.0.0-1": "retired", "Forest-2.0.0-2": "champion"}
    assert history() == [
        ("Forest-2.0.0-2", "candidate", "champion"),
        ("Forest-1.0.0-1", "champion", "retired"),
        ("Forest-2.0.0-2", "", "candidate"),
        ("Forest-1.0.0-1", "", "champion"),
    ]
    assert (change.by, change.why, change.checks) == ("ilse", "Half the misses.", [PASSED.model_dump(mode="json")])
    champion = queries.champion_of(USE_CASE)
    assert champion is not None
    assert champion.model.name == "Forest-2.0.0-2"


def test_the_audit_log_tells_of_it() -> None:
    model = stage.add_model()
    move(model)
    move(model, Stage.RETIRED, why="It is too slow.")
    told = [(action.verb, action.thing, action.detail) for action in queries.actions()]
    assert told == [
        (Verb.CHANGED, "Forest-1.0.0-1", "champion to retired: It is too slow."),
        (Verb.PROMOTED, "Forest-1.0.0-1", "no stage to champion: It is better."),
    ]


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"why": " "}, StageError, "why: say why"),
        ({"outcome": None}, GateNotPassedError, "Nobody asked the gate."),
        ({"outcome": outcome(PASSED, FAILED)}, GateNotPassedError, "1 alert about it is open: F1 fell."),
        ({"outcome": outcome(champion=99)}, ChampionChangedError, "Another model became champion meanwhile"),
    ],
)
def test_a_refusal_says_why_and_changes_nothing(changes: Any, error: type[AtlasError], says: str) -> None:
    model = stage.add_model()
    with pytest.raises(error, match=says):
        move(model, **changes)
    assert (stages(), history(), list(queries.actions())) == ({}, [], [])


def test_only_what_can_be_used_has_a_stage() -> None:
    broken = stage.add_invalid_file("broken.atlas", "It is not a zip file.")
    with pytest.raises(StageError, match=r"cannot use its file\. It is not a zip file"):
        move(broken)
    replaced = stage.add_model()
    records.record_replaced_file(stage.file("Forest-1.0.0-1.atlas"), "The file was overwritten.")
    with pytest.raises(StageError, match="The file was overwritten"):
        move(replaced, Stage.CANDIDATE)
    with pytest.raises(StageError, match="deleted"):
        move(999)


def test_a_model_is_not_moved_where_it_is() -> None:
    model = stage.add_model()
    move(model)
    with pytest.raises(StageError, match="is champion already"):
        move(model, outcome=outcome(champion=model))


def test_the_history_outlives_the_model() -> None:
    model = stage.add_model()
    move(model)
    records.delete_models([model], "ilse", Via.PAGE, NOON)
    assert queries.champion_of(USE_CASE) is None
    (change,) = queries.stage_changes()
    assert (change.model, change.name, change.after) == (None, "Forest-1.0.0-1", "champion")
    move(stage.add_model("Forest-2.0.0-2"))


def test_whoever_was_compared_with_a_champion_that_is_none_any_more_is_refused() -> None:
    first, second, third = (stage.add_model(f"Forest-{number}.0.0-{number}") for number in (1, 2, 3))
    move(first)
    for late in (None, third):
        with pytest.raises(ChampionChangedError):
            move(second, outcome=outcome(champion=late))
    assert stages() == {"Forest-1.0.0-1": "champion"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_champion", [True, False])
def test_of_two_that_are_promoted_at_once_one_becomes_champion(has_champion: bool) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time, and in these tests one connection for all threads")
    former, *models = (stage.add_model(f"Forest-{number}.0.0-{number}") for number in (1, 2, 3))
    if has_champion:
        move(former)
    errors = _promoted_at_once(models, former if has_champion else None)
    assert [type(error) for error in errors] == [ChampionChangedError]
    assert sorted(stages().values()) == (["champion", "retired"] if has_champion else ["champion"])
    assert StageChange.objects.filter(after="champion", why="race").count() == 1


def _promoted_at_once(models: list[int], champion: int | None) -> list[AtlasError]:
    errors: list[AtlasError] = []
    ready = Barrier(len(models))

    def promote(model: int) -> None:
        ready.wait(10)
        try:
            move(model, outcome=outcome(champion=champion), why="race")
        except AtlasError as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=promote, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


# Rules --------------------------------------------------------------------------------------------------------------


def test_rules_are_added_changed_and_deleted_and_the_audit_log_tells_of_it() -> None:
    rule = Rule(kind=GateKind.METRIC, metric="f1", threshold=0.8)
    pk = records.add_gate_rule(USE_CASE, rule, by="ilse", now=NOON).pk
    stricter = rule.model_copy(update={"threshold": 0.85})
    changed = records.change_gate_rule(pk, stricter, by="jan", now=NOON)
    assert changed is not None
    assert (changed.threshold, changed.by, changed.use_case) == (0.85, "ilse", USE_CASE)
    assert [row.pk for row in queries.gate_rules(USE_CASE)] == [pk]
    assert list(queries.gate_rules("other")) == []
    assert records.delete_gate_rule(pk, by="jan", now=NOON)
    assert not records.delete_gate_rule(pk, by="jan", now=NOON)
    assert records.change_gate_rule(pk, rule, by="jan", now=NOON) is None
    told = [(action.verb, action.thing, action.detail) for action in queries.actions()]
    assert told == [
        (Verb.DELETED, USE_CASE, "metric f1 0.85"),
        (Verb.CHANGED, USE_CASE, "metric f1 0.8 to metric f1 0.85"),
        (Verb.ADDED, USE_CASE, "metric f1 0.8"),
    ]


# What a model is judged by ------------------------------------------------------------------------------------------


def subject(model: int) -> queries.GateSubject:
    found = queries.gate_subject(model)
    assert found is not None
    return found


def test_a_model_is_judged_by_its_results_on_the_newest_version_of_each_tag() -> None:
    model = stage.add_model(tags=("impacts", "summer", "winter"))
    stage.finish(model, stage.add_version(1), result(0.7))
    benchmark = stage.finish(model, stage.add_version(2), result(0.8))
    stage.fail(model, stage.add_version(1, tag="winter"), "It is broken.")
    Drift.objects.update_or_create(benchmark_id=benchmark, defaults={"share_moved": 0.5})
    Alert.objects.create(kind=AlertKind.DROP, cause="1", model_id=model, text="F1 fell.", opened=NOON)
    Alert.objects.create(kind=AlertKind.DROP, cause="2", model_id=model, text="Over.", opened=NOON, recovered=NOON)
    known = subject(model).facts
    assert [(each.tag, each.version, each.missing) for each in known.versions] == [
        ("impacts", 2, ""),
        ("summer", None, "no benchmark is queued yet"),
        ("winter", 1, "the benchmark failed: It is broken."),
    ]
    assert {each.name: each.value for each in known.versions[0].metrics} == {"accuracy": 0.9, "f1": 0.8}
    assert (known.versions[0].share_moved, known.versions[1].share_moved) == (0.5, None)
    assert (known.alerts, known.champion, known.primary_metric) == (("F1 fell.",), "", "f1")


def test_equal_data_under_another_tag_have_one_result() -> None:
    model = stage.add_model(tags=("impacts",))
    stage.finish(model, stage.add_version(1))
    version = records.record_version(description(2, query_id="again", digest=stage.digest("impacts-v1"), created=NOON))
    assert version.number == 2
    assert [(each.version, each.missing) for each in subject(model).facts.versions] == [(2, "")]


def test_what_is_shared_with_the_champion_is_found_if_a_rule_asks_for_it() -> None:
    champion = stage.add_model("Forest-1.0.0-1", tags=("impacts", "winter"))
    model = stage.add_model("Forest-2.0.0-2", tags=("impacts", "summer", "winter"))
    impacts, winter = stage.add_version(1), stage.add_version(1, tag="winter")
    own, theirs = stage.finish(model, impacts), stage.finish(champion, impacts)
    stage.finish(model, winter)
    move(champion)
    assert subject(model).shared == ()
    records.add_gate_rule(USE_CASE, Rule(kind=GateKind.NOT_WORSE), by="ilse", now=NOON)
    found = subject(model)
    assert [(each.tag, each.missing) for each in found.shared] == [
        ("impacts", ""),
        ("winter", "the champion has no result on winter v1: no benchmark is queued yet."),
    ]
    assert (found.shared[0].own, found.shared[0].champions) == (own, theirs)
    assert found.champion is not None
    assert (found.champion.pk, subject(champion).facts.is_champion, subject(champion).shared) == (champion, True, ())


def test_nobody_judges_what_is_no_model() -> None:
    assert queries.gate_subject(stage.add_invalid_file("broken.atlas", "It is not a zip file.")) is None
    assert queries.gate_subject(999) is None


def test_use_cases_are_seen_with_champion_candidates_and_rules() -> None:
    first, *others = (stage.add_model(f"Forest-{number}.0.0-{number}") for number in range(8))
    stage.add_model("Other-1.0.0-1", use_case="other")
    move(first, why="The first one.")
    for model in others:
        move(model, Stage.CANDIDATE)
    records.add_gate_rule(USE_CASE, Rule(kind=GateKind.BENCHMARKED), by="ilse", now=NOON)
    assert queries.use_cases_with_gates() == [USE_CASE, "other"]
    one, other = queries.gate_overviews([USE_CASE, "other"])
    assert one.champion is not None
    assert one.since is not None
    assert (one.champion.model.pk, one.since.why, one.number_of_candidates) == (first, "The first one.", 7)
    assert [each.model_id for each in one.candidates] == others[:1:-1]
    assert [rule.kind for rule in one.rules] == ["benchmarked"]
    assert (other.champion, other.candidates, other.rules) == (None, (), ())
