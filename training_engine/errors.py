"""What can go wrong in training."""

from atlas.errors import AtlasError


class ConfigurationError(AtlasError):
    """The training configuration is wrong."""


class TrainingError(AtlasError):
    """The model could not be trained."""
