"""What can go wrong in training."""

from atlas.errors import AtlasError


class ConfigurationError(AtlasError):
    """The training configuration is wrong."""


class TrainingError(AtlasError):
    """The model could not be trained."""


class UntrainedError(TrainingError):
    """Some models were not trained; `status` is the exit status that says whether another try may help."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
