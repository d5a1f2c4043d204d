"""Checks an ingestion engine against the contract, rule by rule: `atlas conformance ingestion URL`.

The rules are those of docs/reference/ingestion-api.md. An engine of one's own can take the reference engine's place if
no rule is broken.
"""

import secrets
from collections.abc import Iterable, Iterator

import httpx

from atlas.conformance import _offering, _reading, _receiving, _tagging
from atlas.conformance._rules import RULES, BrokenError, Finding, Outcome, Rule, SkippedError
from atlas.conformance._trial import Trial
from atlas.connection import bearing

__all__ = ["MODULES", "RULES", "Finding", "Outcome", "Rule", "check_engine", "conversation", "random_prefix"]

MODULES = (_receiving, _tagging, _reading, _offering)
"""Where rules are; each registers its own in `RULES`."""


def random_prefix() -> str:
    """A word that no name of an engine begins with."""
    return f"conformance-{secrets.token_hex(4)}"


def conversation(url: str, *, token: str = "", timeout_seconds: float = 60.0) -> httpx.Client:
    """A connection to the engine at `url`, to be closed by the caller.

    Raises:
        SettingsError: no header can hold the token.
    """
    headers = bearing(token, "--token") if token else None
    return httpx.Client(base_url=url.rstrip("/"), timeout=timeout_seconds, headers=headers)


def check_engine(
    http: httpx.Client, *, prefix: str, rules: Iterable[str] = RULES, patience_seconds: float = 60.0
) -> Iterator[Finding]:
    """Check rules, one after the other, as the findings are asked for.

    Args:
        http: speaks to the engine.
        prefix: of the names of recordings and tags that are made; they stay in the engine.
        rules: the ids of those that are checked; all if not given.
        patience_seconds: how long a recording or a version may take.
    """
    trial = Trial(http, prefix=prefix, patience_seconds=patience_seconds)
    for each in sorted(rules):
        yield _checked(RULES[each], trial)


def _checked(rule: Rule, trial: Trial) -> Finding:
    try:
        rule.check(trial)
    except BrokenError as error:
        return Finding(rule=rule, outcome=Outcome.BROKEN, expected=error.expected, found=error.found)
    except SkippedError as error:
        return Finding(rule=rule, outcome=Outcome.SKIPPED, reason=str(error))
    except httpx.HTTPError as error:
        found = f"{type(error).__name__}: {error}"
        return Finding(rule=rule, outcome=Outcome.BROKEN, expected="an answer", found=found)
    return Finding(rule=rule, outcome=Outcome.KEPT)
