"""The table of routes in access.txt: who gets what."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from atlas.access import Right, Role
from atlas.gates import Rule
from atlas.watching import GateKind
from storage import records
from storage.models import ApiToken
from tests import alerts, stage
from tests.atlas_web.explaining import explain
from tests.atlas_web.predicting import predict
from tests.dropping import dropped

TABLE = Path(__file__).parent / "access.txt"
WHO = (None, Role.VIEWER, Role.DATA_SCIENTIST, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Case:
    """What one kind of person gets when they send one method to one route."""

    route: str
    method: str
    address: str
    role: Role | None
    status: int

    def __str__(self) -> str:
        return f"{self.role or 'nobody'} {self.method} {self.address} {self.status}"


def cases() -> Iterator[Case]:
    """Every line of the table, once for each kind of person."""
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            route, method, address, *statuses = line.split()
            for role, status in zip(WHO, statuses, strict=True):
                yield Case(route, method, address, role, int(status))


def routes() -> set[str]:
    """The names of all routes; of those below an include the name space alone."""
    patterns: list[Any] = get_resolver("atlas_web.urls").url_patterns
    return {f"{each.namespace}:" if isinstance(each, URLResolver) else str(each.name) for each in patterns}


def keys(address: str) -> dict[str, int | UUID]:
    """The keys of rows that an address speaks of, which are made."""
    if address.startswith("/alerts/"):
        return alerts.add_all()
    if "{explained}" in address:
        return {"explained": explain(version=2, model="Linear-1.0.0-1")}
    if "{inference}" in address:
        return {"inference": predict()}
    if "{dropped}" in address:
        return {"dropped": dropped().now}
    model = stage.add_model()
    benchmark = stage.finish(model, stage.add_version())
    owner = User.objects.create_user("jan")
    records.create_token(owner.pk, "nightly", [Right.READ], expires=None, now=timezone.now())
    rule = records.add_gate_rule("damage detector", Rule(kind=GateKind.BENCHMARKED), by="jan", now=timezone.now())
    token = ApiToken.objects.get()
    return {"model": model, "benchmark": benchmark, "token": token.pk, "gate_rule": rule.pk}
