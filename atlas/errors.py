"""Everything that can go wrong in Atlas, as one tree. Each message says what was wrong, where, and what to do."""

from collections.abc import Sequence
from typing import ClassVar


class AtlasError(Exception):
    """Something went wrong in Atlas."""

    retry_helps: ClassVar[bool] = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__class__.__doc__ or "")


class SettingsError(AtlasError):
    """A setting in the environment is missing or wrong."""


class BundleError(AtlasError):
    """The file is not a bundle that Atlas can use."""


class NotABundleError(BundleError):
    """The file is not a zip file."""


class ManifestError(BundleError):
    """The manifest is missing, or one of its fields is wrong."""


class SchemaVersionError(ManifestError):
    """The document was written by a newer Atlas."""


class MemberError(BundleError):
    """A member of the bundle is missing, unexpected, or not what the manifest says."""


class NameTakenError(BundleError):
    """Another model already has this name."""


class BundleReplacedError(BundleError):
    """The file in the object store is not the one that arrived."""


class ModelRemovedError(AtlasError):
    """A person deleted the model while its file was read."""


class ModelError(AtlasError):
    """The model could not be loaded or used."""


class LoadError(ModelError):
    """A member of the bundle could not be loaded."""


class MissingPackageError(LoadError):
    """The model needs a package that is not installed."""


class MetricError(AtlasError):
    """The metric is unknown or cannot be computed here."""


class ObjectStoreError(AtlasError):
    """The object store could not be reached or refused the request."""

    retry_helps: ClassVar[bool] = True


class ObjectNotFoundError(ObjectStoreError):
    """The object store holds nothing under this key."""

    retry_helps: ClassVar[bool] = False


class IngestionError(AtlasError):
    """The data ingestion engine refused the request."""


class IngestionUnavailableError(IngestionError):
    """The data ingestion engine could not be reached."""

    retry_helps: ClassVar[bool] = True


class DatasetError(AtlasError):
    """The dataset's content is not what its description says."""


class TokenNameTakenError(AtlasError):
    """The person has another API token of this name."""


class WatchNameTakenError(AtlasError):
    """Another rule, or another channel, has this name."""


class StageError(AtlasError):
    """The model cannot be moved to this stage."""


class GateNotPassedError(StageError):
    """The model does not pass the gate before it; `failing` says in sentences what it lacks."""

    def __init__(self, failing: Sequence[str]) -> None:
        super().__init__(f"It does not pass the gate. {' '.join(failing)}")
        self.failing = tuple(failing)


class ChampionChangedError(StageError):
    """Another model became champion meanwhile, or it was deleted. Look at the gate again."""


class ApiError(AtlasError):
    """Atlas' REST API refused the request.

    `status` is the HTTP status; `problem` is the whole answer, if it has the form of one (`atlas.api.Problem`).
    """

    def __init__(self, message: str | None = None, *, status: int = 0, problem: object = None) -> None:
        super().__init__(message)
        self.status, self.problem = status, problem


class ApiUnavailableError(AtlasError):
    """Atlas' REST API could not be reached."""

    retry_helps: ClassVar[bool] = True


class DownloadError(AtlasError):
    """A file arrived with another content than it should have."""

    retry_helps: ClassVar[bool] = True


class DeliveryError(AtlasError):
    """A message was not taken this time."""

    retry_helps: ClassVar[bool] = True


class DeliveryRefusedError(DeliveryError):
    """A message was refused, as it will be the next time."""

    retry_helps: ClassVar[bool] = False


class WaitError(AtlasError):
    """What was waited for did not happen."""


class SelectionError(AtlasError):
    """Nothing, or too little, is what was asked for."""


class LastAdministratorError(AtlasError):
    """Nobody would be left to administer Atlas; make somebody else an administrator first."""
