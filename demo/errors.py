"""What can go wrong in the demo."""

from atlas.errors import AtlasError


class DemoError(AtlasError):
    """The demo cannot go on."""
