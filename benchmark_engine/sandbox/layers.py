"""The layers of the sandbox, and those that it is no sandbox without."""

from enum import StrEnum


class Layer(StrEnum):
    """A wall round a child, as it is shown to people and recorded on each result."""

    NAMESPACES = "bubblewrap"
    RESOURCE_LIMITS = "resource limits"
    OWN_USER = "own user"
    NO_CAPABILITIES = "no capabilities"
    TETHER = "ends with the engine"
    NO_NEW_PRIVILEGES = "no new privileges"
    LANDLOCK_FILES = "Landlock: files"
    LANDLOCK_TCP = "Landlock: TCP"
    LANDLOCK_SCOPES = "Landlock: signals and sockets"
    SECCOMP = "seccomp"


REQUIRED = frozenset({Layer.RESOURCE_LIMITS, Layer.NO_NEW_PRIVILEGES, Layer.LANDLOCK_FILES, Layer.SECCOMP})
"""Without one of these, bundles are run only where the administrator trusts them."""


class Bubblewrap(StrEnum):
    """Whether children are put into namespaces."""

    AUTO = "auto"
    REQUIRED = "required"
    OFF = "off"
