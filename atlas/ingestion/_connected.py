"""What all calls of the ingestion client stand on: the connection, lists, addresses."""

from typing import Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from atlas.connection import ClientSettings, Connection, bearing
from atlas.errors import IngestionError, IngestionUnavailableError
from atlas.ingestion._documents import IngestionSettings

Item = TypeVar("Item", bound=BaseModel)

PAGE_SIZE = 200
"""How much of a long list is asked for at once."""


class PlaceError(IngestionError):
    """The engine waits for another part than the one that it was sent."""


def silent(_done: int, _size: int) -> None:
    """Progress that nobody is told."""


class Connected:
    """A connection to an ingestion engine.

    Args:
        url: of the engine, such as `http://127.0.0.1:8100`.
        token: what it is signed in with: a person's API token, or the one of Atlas' components.
        timeout_seconds: how long the engine may be silent.
        attempts: how often a request is made in all.
    """

    def __init__(self, url: str, *, token: str = "", timeout_seconds: float = 30.0, attempts: int = 3) -> None:
        self._connection = Connection(
            url,
            name="The ingestion engine",
            refused=_refusal,
            unavailable=IngestionUnavailableError,
            headers=bearing(token, "ATLAS_INGESTION_TOKEN") if token else None,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
        )

    @classmethod
    def from_environment(cls) -> Self:
        """The client of the engine that `ATLAS_INGESTION_URL` names.

        It is signed in with `ATLAS_INGESTION_TOKEN`, or else with `ATLAS_TOKEN`: a person's API token is good for both.
        """
        settings = IngestionSettings.from_environment()
        token = settings.ingestion_token or ClientSettings.from_environment().token.get_secret_value()
        return cls(settings.ingestion_url, token=token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _list(self, document: type[Item], path: str, **params: str) -> list[Item]:
        response = self._connection.request("GET", path, params=params)
        try:
            return TypeAdapter(list[document]).validate_json(response.content)  # type: ignore[valid-type]
        except ValidationError as error:
            raise IngestionError(f"{response.url} answered otherwise than the ingestion engine does.") from error


def address(*parts: str) -> str:
    """The address of something below the API's; its names may hold any characters."""
    return "/".join(quote(part, safe="") for part in parts)


def _refusal(message: str, response: httpx.Response) -> IngestionError:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        message = f"{message} Make a token on the dashboard's page Account, and set ATLAS_TOKEN to it."
    return PlaceError(message) if "Upload-Offset" in response.headers else IngestionError(message)
