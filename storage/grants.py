"""What each component may do with each table of a PostgreSQL, and the SQL that grants it. Everything else is refused.

The principles:

- The dashboard writes no result: it may neither add nor change metrics, confusion matrices, residuals, explanations,
  drift or checks, and of a benchmark's row it may change only what queueing and cancelling need. It may delete results,
  since people delete models and benchmarks with all that belongs to them.
- The engine reads nothing of people: no account, role, session, token, failed sign-in, nor the audit log.
- The ingestion engine has its own tables, and those of the sign-in that it shares with the dashboard. Where a directory
  is used, whoever signs in there for the first time gets an account: so it may add and change accounts.
- The messenger, which alone reaches out of the network, reads what alerts say and keeps what became of messages.
- A backup reads everything and writes nothing.

A table that is not named here cannot be used by any component. An update must not take away what the version before it
needs, whose processes still run while it is prepared.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Flag, StrEnum, auto
from typing import Self

from psycopg2.sql import SQL, Composable, Identifier


class Component(StrEnum):
    """A process, or several of a kind, with a role of its own in the database."""

    DASHBOARD = "dashboard"
    ENGINE = "engine"
    INGESTION = "ingestion"
    MESSENGER = "messenger"
    BACKUP = "backup"


class Privilege(Flag):
    """What may be done with the rows of a table."""

    SELECT = auto()
    INSERT = auto()
    UPDATE = auto()
    DELETE = auto()


@dataclass(frozen=True, slots=True)
class Access:
    """What one component may do with one table.

    Attributes:
        privileges: what it may do with whole rows.
        columns: those that it may update, where it may not update the whole row.
    """

    privileges: Privilege
    columns: tuple[str, ...] = ()

    def and_update(self, *columns: str) -> Self:
        """The same, and to update some columns."""
        return replace(self, columns=columns)


NOTHING = Access(Privilege(0))
READS = Access(Privilege.SELECT)
ADDS = Access(Privilege.SELECT | Privilege.INSERT)
DELETES = Access(Privilege.SELECT | Privilege.DELETE)
COMES_AND_GOES = Access(Privilege.SELECT | Privilege.INSERT | Privilege.DELETE)
KEEPS = Access(Privilege.SELECT | Privilege.INSERT | Privilege.UPDATE)
OWNS = Access(Privilege.SELECT | Privilege.INSERT | Privilege.UPDATE | Privilege.DELETE)
LOCKS = READS.and_update("id")
"""SELECT ... FOR UPDATE needs the right to update some column: it is one that nobody has a reason to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What every component may do with one table; a backup reads each."""

    dashboard: Access = NOTHING
    engine: Access = NOTHING
    ingestion: Access = NOTHING
    messenger: Access = NOTHING

    def of(self, component: Component) -> Access:
        """What one component may do."""
        return {
            Component.DASHBOARD: self.dashboard,
            Component.ENGINE: self.engine,
            Component.INGESTION: self.ingestion,
            Component.MESSENGER: self.messenger,
            Component.BACKUP: READS,
        }[component]


_RESULT = Rights(dashboard=DELETES, engine=OWNS)
_INGESTION = Rights(ingestion=OWNS)
_SUMMARY = (
    "unfinished", "done", "failed", "incompatible", "cancelled", "result", "score", "low", "high", "explained_on",
    "unexplained", "trouble",
)  # fmt: skip
"""What a model's row says of its benchmarks, summed up anew by whoever cancels, queues or deletes one."""
_QUEUE = (
    "state", "reason", "failure_class", "attempts", "not_before", "claim", "lease_until", "started", "finished",
)  # fmt: skip
"""What is changed of a benchmark or a prediction by whoever cancels it or has it run again."""

TABLES = {
    # Models, datasets, benchmarks and their results.
    "storage_author": Rights(dashboard=OWNS, engine=KEEPS),
    "storage_datasettag": Rights(dashboard=COMES_AND_GOES, engine=KEEPS, messenger=READS),
    "storage_datasetversion": Rights(dashboard=DELETES, engine=ADDS, messenger=READS),
    "storage_model": Rights(
        dashboard=DELETES.and_update("use_case", "author_id", "granted_limits", *_SUMMARY),
        engine=KEEPS,
        messenger=READS,
    ),
    "storage_model_tags": Rights(dashboard=COMES_AND_GOES, engine=COMES_AND_GOES),
    "storage_benchmark": Rights(
        dashboard=DELETES.and_update(*_QUEUE, "queued", "priority", "phase", "phase_done", "phase_total", "check_due"),
        engine=KEEPS,
        messenger=READS,
    ),
    "storage_metric": _RESULT,
    "storage_confusionmatrix": _RESULT,
    "storage_residuals": _RESULT,
    "storage_explanation": _RESULT,
    "storage_drift": _RESULT,
    "storage_regressioncheck": _RESULT,
    "storage_versiondrift": _RESULT,
    # Predictions on demand and on live data, and who watches what.
    "storage_inference": Rights(dashboard=COMES_AND_GOES.and_update(*_QUEUE), engine=OWNS),
    "storage_livewatch": Rights(dashboard=COMES_AND_GOES, engine=READS),
    "storage_gaterule": Rights(dashboard=OWNS, engine=READS),
    "storage_modelstage": Rights(dashboard=OWNS, engine=READS),
    "storage_stagechange": Rights(dashboard=ADDS.and_update("model_id"), engine=READS),
    # Alerts and where they are sent.
    "storage_channel": Rights(dashboard=OWNS, engine=READS, messenger=READS),
    "storage_alertrule": Rights(dashboard=OWNS, engine=LOCKS),
    "storage_alertrule_channels": Rights(dashboard=COMES_AND_GOES, engine=READS),
    "storage_alert": Rights(
        dashboard=DELETES.and_update("rule_id", "benchmark_id", "recovered", "acknowledged", "acknowledged_by", "note"),
        engine=KEEPS,
        ingestion=READS,  # how many are open stands in the menu
        messenger=READS,
    ),
    "storage_delivery": Rights(
        dashboard=OWNS,
        engine=OWNS,
        messenger=READS.and_update("state", "attempts", "not_before", "lease_until", "sent", "problem"),
    ),
    # The engine's own business.
    "storage_pause": Rights(dashboard=COMES_AND_GOES, engine=READS),
    "storage_logentry": Rights(dashboard=COMES_AND_GOES, engine=COMES_AND_GOES, ingestion=ADDS, messenger=ADDS),
    "storage_componentstatus": Rights(dashboard=DELETES, engine=OWNS, messenger=KEEPS),
    "storage_removal": Rights(dashboard=KEEPS, engine=DELETES.and_update("id")),
    "storage_orphan": Rights(dashboard=DELETES.and_update("id"), engine=OWNS),
    "storage_storereport": Rights(dashboard=READS, engine=KEEPS),
    # People. The audit log is only ever added to.
    "storage_upload": Rights(dashboard=OWNS, engine=DELETES),
    "storage_apitoken": Rights(dashboard=OWNS, ingestion=READS.and_update("used")),
    "storage_preference": Rights(dashboard=OWNS),
    "storage_action": Rights(dashboard=ADDS, ingestion=ADDS),
    "auth_user": Rights(dashboard=OWNS, ingestion=KEEPS),
    "auth_user_groups": Rights(dashboard=COMES_AND_GOES, ingestion=COMES_AND_GOES),
    "auth_user_user_permissions": Rights(dashboard=DELETES, ingestion=READS),
    "auth_group": Rights(dashboard=LOCKS, ingestion=READS),
    "auth_group_permissions": Rights(dashboard=READS, ingestion=READS),
    "auth_permission": Rights(dashboard=READS, ingestion=READS),
    "axes_accessattempt": Rights(dashboard=OWNS, ingestion=OWNS),
    "axes_accessattemptexpiration": Rights(dashboard=OWNS, ingestion=OWNS),
    "axes_accessfailurelog": Rights(dashboard=OWNS, ingestion=OWNS),
    "axes_accesslog": Rights(dashboard=OWNS, ingestion=OWNS),
    "django_session": Rights(dashboard=OWNS, ingestion=OWNS),
    # Django's own.
    "django_admin_log": Rights(dashboard=COMES_AND_GOES),
    "django_content_type": Rights(dashboard=READS, ingestion=READS),
    "django_migrations": Rights(dashboard=READS, engine=READS, ingestion=READS, messenger=READS),
    # The ingestion engine's.
    "ingestion_engine_ledger": _INGESTION,
    "ingestion_engine_recording": _INGESTION,
    "ingestion_engine_change": _INGESTION,
    "ingestion_engine_features": _INGESTION,
    "ingestion_engine_column": _INGESTION,
    "ingestion_engine_event": _INGESTION,
    "ingestion_engine_tag": _INGESTION,
    "ingestion_engine_version": _INGESTION,
    "ingestion_engine_upload": _INGESTION,
    "ingestion_engine_labelfile": _INGESTION,
}
"""What may be done with each table. Whoever adds a table names it here."""


def for_nobody(database: str) -> Iterator[Composable]:
    """Statements that leave those without a role of Atlas no right in a database, given its name."""
    yield SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(database))
    yield SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    yield SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC")
    yield SQL("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC")


def for_component(component: Component, role: str, database: str) -> Iterator[Composable]:
    """Statements that give a role what its component needs in a database, and nothing else that it may have had.

    Keys are identity columns, which count up without a right to their sequences; only a backup reads these.
    """
    who = Identifier(role)
    yield SQL("GRANT CONNECT ON DATABASE {} TO {}").format(Identifier(database), who)
    yield SQL("REVOKE ALL ON SCHEMA public FROM {}").format(who)
    yield SQL("GRANT USAGE ON SCHEMA public TO {}").format(who)
    for kind in ("TABLES", "SEQUENCES"):
        yield SQL("REVOKE ALL ON ALL {} IN SCHEMA public FROM {}").format(SQL(kind), who)
    for table, rights in TABLES.items():
        access = rights.of(component)
        if access != NOTHING:
            yield SQL("GRANT {} ON {} TO {}").format(_words(access), Identifier("public", table), who)
    if component is Component.BACKUP:
        yield SQL("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(who)


def _words(access: Access) -> Composable:
    """The privileges as GRANT has them."""
    words: list[Composable] = [SQL(str(privilege.name)) for privilege in access.privileges]
    if access.columns:
        words.append(SQL("UPDATE ({})").format(SQL(", ").join(map(Identifier, access.columns))))
    return SQL(", ").join(words)
