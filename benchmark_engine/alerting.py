"""Looking at the rules for alerts, every few seconds; at what models do only if there is news of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from atlas.alerts import Facts, Rule
from atlas.watching import AlertKind
from benchmark_engine.connector import Connector
from monitoring.alerts import judge
from storage import alerting, records
from storage.alerting import Stamp

LOOK_AGAIN = timedelta(minutes=1)
"""After so long everything is looked at, news or not: some changes, such as deletions, no stamp tells of."""


@dataclass(kw_only=True)
class Seen:
    """What an engine has looked at already.

    Attributes:
        since: when it first looked.
        at: when it last looked at everything.
        stamp, rules: what there was then.
    """

    since: datetime | None = None
    at: datetime | None = None
    stamp: Stamp | None = None
    rules: Sequence[Rule] = field(default_factory=list)


def look_after_alerts(connector: Connector, seen: Seen) -> None:
    """Open an alert for each cause that holds and has none, and end those whose cause is gone.

    Args:
        connector: the engine's.
        seen: what was looked at before; it is brought up to date.
    """
    now = connector.clock()
    seen.since = seen.since or now
    rules, stamp = alerting.rules(), alerting.stamp()
    is_new = seen.at is None or now - seen.at >= LOOK_AGAIN or (stamp, rules) != (seen.stamp, seen.rules)
    parts = alerting.parts(now, listening_since=seen.since)
    facts = Facts(standings=alerting.standings(rules) if is_new else (), parts=parts)
    for rule in rules:
        if is_new or rule.kind is AlertKind.DOWN:
            records.settle(rule.pk, judge(rule, facts), now=now)
    if is_new:
        records.end_what_nobody_watches(now=now)
        seen.at, seen.stamp, seen.rules = now, stamp, rules
