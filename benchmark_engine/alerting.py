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
REST = 9
"""For so many times as long as a look at everything took none follows: an engine has other things to do."""


@dataclass(kw_only=True)
class Seen:
    """What an engine has looked at already.

    Attributes:
        since: when it first looked.
        at: when it last looked at everything.
        rest_until: when it may do so again.
        stamp, rules: what there was then.
    """

    since: datetime | None = None
    at: datetime | None = None
    rest_until: datetime | None = None
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
    looks = _is_time(seen, rules, stamp, now)
    parts = alerting.parts(now, listening_since=seen.since)
    facts = Facts(standings=alerting.standings(rules) if looks else (), parts=parts)
    for rule in rules:
        if looks or rule.kind is AlertKind.DOWN:
            records.settle(rule.pk, judge(rule, facts), now=now)
    if looks:
        records.end_what_nobody_watches(now=now)
        seen.at, seen.stamp, seen.rules = now, stamp, rules
        seen.rest_until = connector.clock() + REST * (connector.clock() - now)


def _is_time(seen: Seen, rules: Sequence[Rule], stamp: Stamp, now: datetime) -> bool:
    """Whether to look at everything: at first, once there is news, and from time to time, but not all the time."""
    if seen.at is None or seen.rest_until is None:
        return True
    return now >= seen.rest_until and (now - seen.at >= LOOK_AGAIN or (stamp, rules) != (seen.stamp, seen.rules))
