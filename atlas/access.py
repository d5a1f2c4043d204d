"""Who may do what: people have roles, roles have rights, and an API token is given some of its owner's rights."""

from enum import StrEnum


class Right(StrEnum):
    """What a request may do. A token's scopes are rights."""

    READ = "read"
    """See every page and download every file."""
    WRITE = "write"
    """Send models, run benchmarks again, cancel them, move models to another stage."""
    DELETE = "delete"
    """Delete models and benchmarks with all that belongs to them."""
    ADMINISTER = "administer"
    """Pause the queue, act on many things at once, clean up the object store, change gates, tables and people."""


class Role(StrEnum):
    """What a person is in Atlas. Groups of the same names hold them; who is in none is a viewer."""

    VIEWER = "viewer"
    DATA_SCIENTIST = "data scientist"
    ADMINISTRATOR = "administrator"

    @property
    def rights(self) -> frozenset[Right]:
        """What people of this role may do."""
        return _RIGHTS[self]


_RIGHTS = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.DATA_SCIENTIST: frozenset({Right.READ, Right.WRITE, Right.DELETE}),
    Role.ADMINISTRATOR: frozenset(Right),
}


class Verb(StrEnum):
    """What a person did, as the audit log tells it."""

    UPLOADED = "uploaded"
    DELETED = "deleted"
    RAN_AGAIN = "ran again"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    RESUMED = "resumed"
    CHANGED = "changed"
    ADDED = "added"
    REVOKED = "revoked"
    CLEANED_UP = "cleaned up"
    ACKNOWLEDGED = "acknowledged"
    PROMOTED = "promoted"
    PREDICTED = "predicted"
    SIGNED_IN = "signed in"
    REFUSED = "was refused"


class Via(StrEnum):
    """By what way a person did it."""

    PAGE = "page"
    API = "API"
    ADMIN = "admin"
