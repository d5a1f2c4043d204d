"""Who asks, their tokens, and what people did."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query
from ninja.responses import Status

from atlas.access import Right, Verb, Via
from atlas.api import ActionEntry, Identity, Page, TokenSummary
from atlas_web.api import documents
from atlas_web.api.authentication import caller_of
from atlas_web.api.lists import Key, Paging, Since, Until, Words, narrowed, page_of, whole
from atlas_web.api.operations import Operations
from atlas_web.api.problems import ForbiddenError, UnknownError
from storage import queries, records
from ui.access import role_of

operations = Operations("people")


class AuditFilters(Paging):
    """What the audit log is narrowed by."""

    person: Words = ""
    verb: Verb | None = None
    kind: Words = ""
    since: Since | None = None
    until: Until | None = None


@operations.declare("GET", "whoami", Right.READ, {200: Identity})
def whoami(request: HttpRequest) -> Identity:
    """Who asks, and what they may do."""
    caller = caller_of(request)
    role = role_of(caller.person)
    if role is None:
        raise ForbiddenError("This account is closed.")
    return Identity(
        name=caller.name,
        full_name=caller.person.get_full_name(),
        role=role,
        rights=tuple(right for right in Right if right in caller.rights),
        token=caller.token,
        expires=caller.expires,
    )


@operations.declare("GET", "tokens", Right.READ, {200: Page[TokenSummary]})
def list_tokens(request: HttpRequest) -> Page[TokenSummary]:
    """One's own API tokens, the newest first. They are made on the dashboard."""
    return whole(map(documents.token_summary, queries.tokens_of(caller_of(request).person.pk)), Page[TokenSummary])


@operations.declare("DELETE", "tokens/{token}", Right.READ, {204: None})
def revoke_token(request: HttpRequest, token: Key) -> Status[None]:
    """Revoke one of one's own API tokens, for good."""
    caller, now = caller_of(request), timezone.now()
    name = records.revoke_token(caller.person.pk, token)
    if name is None:
        raise UnknownError(f"You have no token with the key {token}.")
    records.record_action(caller.name, Verb.REVOKED, "token", name, via=Via.API, now=now)
    return Status(204, None)


@operations.declare("GET", "audit", Right.ADMINISTER, {200: Page[ActionEntry]})
def list_actions(request: HttpRequest, response: HttpResponse, asked: Query[AuditFilters]) -> Page[ActionEntry]:
    """What people did, the latest first."""
    rows = narrowed(
        queries.actions(),
        person=asked.person,
        verb=asked.verb,
        kind=asked.kind,
        time__gte=asked.since,
        time__lte=asked.until,
    )
    return page_of(request, response, rows, asked, documents.action_entry, Page[ActionEntry])
