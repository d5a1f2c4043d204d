"""Stages of models, and the rules of the gates before them.

Locks are taken in the order models, stages, as those who delete a model take them.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from atlas.access import Verb, Via
from atlas.errors import ChampionChangedError, GateNotPassedError, StageError
from atlas.gates import Outcome, Rule
from atlas.states import ModelState
from atlas.watching import Stage
from storage.models import GateRule, Model, ModelStage, StageChange
from storage.records._people import record_action
from storage.records._signs import log

RULE = "gate rule"
"""What the audit log calls a rule."""


def set_stage(
    pk: int, stage: Stage, *, by: str, why: str, outcome: Outcome | None, via: Via = Via.PAGE, now: datetime
) -> StageChange:
    """Move a model to a stage; a new champion sends the one before it into retirement. All or nothing.

    Args:
        pk: of the model.
        stage: where it goes.
        by: who wants it.
        why: for those who look at the history.
        outcome: what the gate says of it, which is kept; only a champion needs one.
        via: by what way, for the audit log.
        now: the time.

    Raises:
        StageError: there is no such model, it cannot be used, it is there already, or nobody said why.
        GateNotPassedError: it is to become champion, and does not pass.
        ChampionChangedError: another model became champion after the gate was asked.
    """
    reason = why.strip()
    if not reason:
        raise StageError("why: say why, for those who look at the history later.")
    if stage is Stage.CHAMPION and (outcome is None or not outcome.passed):
        raise GateNotPassedError(outcome.failing if outcome else ["Nobody asked the gate."])
    try:
        with transaction.atomic():
            return _moved(pk, stage, by=by, why=reason, outcome=outcome, via=via, now=now)
    except IntegrityError as error:  # who promotes another model at the same moment was faster
        raise ChampionChangedError from error


def _moved(
    pk: int, stage: Stage, *, by: str, why: str, outcome: Outcome | None, via: Via, now: datetime
) -> StageChange:
    model = _locked(pk, outcome.champion if outcome else None)
    current = ModelStage.objects.select_for_update().filter(model=model).first()
    if current is not None and current.stage == stage:
        raise StageError(f"{model.name} is {stage} already.")
    in_place_of = ""
    if stage is Stage.CHAMPION:
        in_place_of = _retire_champion(model, outcome.champion if outcome else None, by=by, now=now)
    before = current.stage if current else ""
    ModelStage.objects.update_or_create(
        model=model, defaults={"use_case": model.use_case, "stage": stage, "since": now}
    )
    told = f"{before or 'no stage'} to {stage}{f' in place of {in_place_of}' if in_place_of else ''}: {why}"
    verb = Verb.PROMOTED if stage is Stage.CHAMPION else Verb.CHANGED
    record_action(by, verb, "model", model.name, via=via, detail=told, now=now)
    log("dashboard", f"Moved by {by} from {told}", now=now, model=model.pk)
    return _kept(model, before, stage, by=by, why=why, outcome=outcome, now=now)


def _locked(pk: int, champion: int | None) -> Model:
    """The model, locked together with the champion, so that neither is deleted meanwhile."""
    keys = {pk} if champion is None else {pk, champion}
    both = Model.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    model = next((each for each in both.defer("manifest") if each.pk == pk), None)
    if model is None:
        raise StageError("The model was deleted meanwhile.")
    if model.state != ModelState.READY or model.reason:
        why = f" {model.reason}" if model.reason else ""
        raise StageError(f"{model.name} has no stage, since Atlas cannot use its file.{why}")
    return model


def _retire_champion(model: Model, expected: int | None, *, by: str, now: datetime) -> str:
    """Retire the champion of a model's use case, if it is still the one that the model was compared with; its name."""
    champions = ModelStage.objects.select_for_update(of=("self",)).select_related("model")
    former = champions.filter(use_case=model.use_case, stage=Stage.CHAMPION).defer("model__manifest").first()
    if (former.model_id if former else None) != expected:
        raise ChampionChangedError
    if former is None:
        return ""
    ModelStage.objects.filter(pk=former.pk).update(stage=Stage.RETIRED, since=now)
    why = f"{model.name} became champion."
    _kept(former.model, Stage.CHAMPION, Stage.RETIRED, by=by, why=why, outcome=None, now=now)
    return former.model.name


def _kept(
    model: Model, before: str, after: Stage, *, by: str, why: str, outcome: Outcome | None, now: datetime
) -> StageChange:
    return StageChange.objects.create(
        model=model,
        name=model.name,
        use_case=model.use_case,
        before=before,
        after=after,
        by=by[:200],
        why=why,
        checks=[check.model_dump(mode="json") for check in outcome.checks] if outcome else [],
        made=now,
    )


# Rules --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_gate_rule(use_case: str, rule: Rule, *, by: str, via: Via = Via.PAGE, now: datetime) -> GateRule:
    """Add a rule, which has no problems, to the gate of a use case."""
    row = GateRule.objects.create(use_case=use_case, **_fields(rule), created=now, by=by[:200])
    record_action(by, Verb.ADDED, RULE, use_case, via=via, detail=described(rule), now=now)
    return row


@transaction.atomic
def change_gate_rule(pk: int, rule: Rule, *, by: str, via: Via = Via.PAGE, now: datetime) -> GateRule | None:
    """Put a rule, which has no problems, in the place of another; None if that is gone."""
    row = GateRule.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return None
    detail = f"{described(_rule(row))} to {described(rule)}"
    for name, value in _fields(rule).items():
        setattr(row, name, value)
    row.save()
    record_action(by, Verb.CHANGED, RULE, row.use_case, via=via, detail=detail, now=now)
    return row


@transaction.atomic
def delete_gate_rule(pk: int, *, by: str, via: Via = Via.PAGE, now: datetime) -> bool:
    """Take a rule out of its gate; whether it was there."""
    row = GateRule.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return False
    row.delete()
    record_action(by, Verb.DELETED, RULE, row.use_case, via=via, detail=described(_rule(row)), now=now)
    return True


def _fields(rule: Rule) -> dict[str, object]:
    return {"kind": rule.kind, "metric": rule.metric, "threshold": rule.threshold}


def _rule(row: GateRule) -> Rule:
    return Rule.model_validate({"kind": row.kind, "metric": row.metric, "threshold": row.threshold})


def described(rule: Rule) -> str:
    """A rule in short, for the audit log: `metric f1 0.85`."""
    threshold = "" if rule.threshold is None else f"{rule.threshold:g}"
    return " ".join(part for part in (rule.kind, rule.metric, threshold) if part)
