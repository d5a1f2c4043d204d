"""Stages of models, and the gates before them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query
from ninja.responses import Status

from atlas.access import Right, Via
from atlas.api import (
    Champion,
    FieldProblem,
    GateReport,
    GateRuleEntry,
    GateRuleRequest,
    ModelReference,
    Page,
    StageEntry,
    StageRequest,
)
from atlas.errors import GateNotPassedError
from atlas.gates import Rule
from atlas_web.api.authentication import caller_of
from atlas_web.api.lists import Key, Paging, Words, narrowed, page_of
from atlas_web.api.models import model_called
from atlas_web.api.operations import Operations
from atlas_web.api.problems import ConflictError, RequestError, UnknownError
from atlas_web.gates import outcome_of, problems_of
from storage import queries, records

operations = Operations("gates")


class StageFilters(Paging):
    """What the history of stages is narrowed by; `model` is a model's name."""

    use_case: Words = ""
    model: Words = ""


class RuleFilters(Paging):
    """What the rules are narrowed by."""

    use_case: Words = ""


class GateConflictError(ConflictError):
    """The model does not pass the gate; `errors` has each check that it fails."""

    def __init__(self, error: GateNotPassedError) -> None:
        super().__init__(str(error))
        self.errors = tuple(FieldProblem(field="stage", message=sentence) for sentence in error.failing)


@operations.declare("GET", "models/{model}/gate", Right.READ, {200: GateReport}, 409)
def get_gate(request: HttpRequest, model: str) -> GateReport:  # noqa: ARG001  # ninja finds it by its name
    """What the gate of a model's use case says of it now, check by check."""
    subject = _subject(model)
    outcome = outcome_of(subject)
    return GateReport(
        model=ModelReference(id=subject.model.pk, name=subject.model.name),
        use_case=subject.model.use_case,
        stage=queries.stage_of(subject.model),
        passed=outcome.passed,
        sentence=outcome.sentence,
        checks=outcome.checks,
    )


@operations.declare("POST", "models/{model}/stage", Right.WRITE, {200: StageEntry}, 409)
def set_stage(request: HttpRequest, model: str, asked: StageRequest) -> StageEntry:
    """Move a model to a stage. It becomes champion only if it passes the gate; the one before it is then retired."""
    subject = _subject(model)
    outcome = outcome_of(subject)
    by, now = caller_of(request).name, timezone.now()
    try:
        change = records.set_stage(
            subject.model.pk, asked.stage, by=by, why=asked.why, outcome=outcome, via=Via.API, now=now
        )
    except GateNotPassedError as error:
        raise GateConflictError(error) from error
    return stage_entry(change)


@operations.declare("GET", "use-cases/{path:use_case}/champion", Right.READ, {200: Champion})
def get_champion(request: HttpRequest, use_case: str) -> Champion:  # noqa: ARG001  # ninja finds it by its name
    """The champion of a use case, for those who deploy it."""
    found = queries.champion_of(use_case) if "\0" not in use_case else None
    if found is None:
        raise UnknownError(f"No model is champion of {use_case}.")
    return Champion(
        model=found.model_id,
        name=found.model.name,
        use_case=found.use_case,
        sha256=found.model.digest,
        since=found.since,
    )


@operations.declare("GET", "stages", Right.READ, {200: Page[StageEntry]})
def list_stage_changes(request: HttpRequest, response: HttpResponse, asked: Query[StageFilters]) -> Page[StageEntry]:
    """Who moved which model to another stage and why, the latest first."""
    rows = narrowed(queries.stage_changes(), use_case=asked.use_case, name=asked.model)
    return page_of(request, response, rows, asked, stage_entry, Page[StageEntry])


# Rules --------------------------------------------------------------------------------------------------------------


@operations.declare("GET", "gates/rules", Right.READ, {200: Page[GateRuleEntry]})
def list_gate_rules(request: HttpRequest, response: HttpResponse, asked: Query[RuleFilters]) -> Page[GateRuleEntry]:
    """The rules of all gates, by use case."""
    rows = narrowed(queries.gate_rules(), use_case=asked.use_case)
    return page_of(request, response, rows, asked, rule_entry, Page[GateRuleEntry])


@operations.declare("POST", "gates/rules", Right.ADMINISTER, {201: GateRuleEntry})
def add_gate_rule(request: HttpRequest, asked: GateRuleRequest) -> Status[GateRuleEntry]:
    """Add a rule to the gate of a use case that has models or rules."""
    use_case = asked.use_case.strip()
    rule = Rule(kind=asked.kind, metric=asked.metric, threshold=asked.threshold)
    unknown = {} if use_case in queries.use_cases_with_gates() else {"use_case": f"No model is for {use_case}."}
    _refuse(unknown | problems_of(rule))
    row = records.add_gate_rule(use_case, rule, by=caller_of(request).name, via=Via.API, now=timezone.now())
    return Status(201, rule_entry(row))


@operations.declare("PUT", "gates/rules/{rule}", Right.ADMINISTER, {200: GateRuleEntry})
def change_gate_rule(request: HttpRequest, rule: Key, asked: Rule) -> GateRuleEntry:
    """Put a rule in the place of another one of the same gate."""
    if queries.gate_rule(rule) is None:
        raise _no_rule(rule)
    _refuse(problems_of(asked))
    row = records.change_gate_rule(rule, asked, by=caller_of(request).name, via=Via.API, now=timezone.now())
    if row is None:
        raise _no_rule(rule)
    return rule_entry(row)


@operations.declare("DELETE", "gates/rules/{rule}", Right.ADMINISTER, {204: None})
def delete_gate_rule(request: HttpRequest, rule: Key) -> Status[None]:
    """Take a rule out of its gate."""
    if not records.delete_gate_rule(rule, by=caller_of(request).name, via=Via.API, now=timezone.now()):
        raise _no_rule(rule)
    return Status(204, None)


def _no_rule(pk: int) -> UnknownError:
    return UnknownError(f"There is no rule with the key {pk}.")


def _refuse(problems: dict[str, str]) -> None:
    if problems:
        errors = [FieldProblem(field=field, message=message) for field, message in problems.items()]
        raise RequestError(f"Wrong: {', '.join(problems)}.", errors)


def _subject(name: str) -> queries.GateSubject:
    row = model_called(name)
    found = queries.gate_subject(row.pk)
    if found is None:
        raise ConflictError(f"No gate is for {row.name}, since Atlas cannot use its file. {row.reason}".rstrip())
    return found


def stage_entry(row: Any) -> StageEntry:
    """Of a row of `queries.stage_changes()`."""
    return StageEntry(
        id=row.pk,
        model=row.model_id,
        name=row.name,
        use_case=row.use_case,
        before=row.before or None,
        after=row.after,
        by=row.by,
        why=row.why,
        checks=tuple(row.checks),
        made=row.made,
    )


def rule_entry(row: Any) -> GateRuleEntry:
    """Of a row of `queries.gate_rules()`."""
    return GateRuleEntry(
        id=row.pk,
        use_case=row.use_case,
        kind=row.kind,
        metric=row.metric,
        threshold=row.threshold,
        created=row.created,
        by=row.by,
    )
