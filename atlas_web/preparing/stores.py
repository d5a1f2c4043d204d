"""The users with which Atlas' processes sign in to an S3 object store, their buckets, and what they may do there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import urllib3
from minio import MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException

from atlas.errors import SettingsError
from storage.grants import Component
from storage.objects import MinioStore, S3Address, connections
from storage.policies import Buckets, policy

ADMIN = "ATLAS_OBJECT_STORE_ADMIN"


def addresses(urls: Mapping[Component, str]) -> dict[Component, S3Address]:
    """Where the components find their buckets and how they sign in, by the URLs that are set.

    Raises:
        SettingsError: a URL has another form, or two name the same user.
    """
    found: dict[Component, S3Address] = {}
    for component, url in urls.items():
        address = address_in(f"ATLAS_OBJECT_STORE_{component.name}", url)
        if address.access_key in {each.access_key for each in found.values()}:
            raise SettingsError(
                f"ATLAS_OBJECT_STORE_{component.name}: another component is the user {address.access_key}; "
                "give it one of its own"
            )
        found[component] = address
    return found


def address_in(variable: str, url: str) -> S3Address:
    """The address that a setting holds.

    Raises:
        SettingsError: it has another form; the message names the setting.
    """
    try:
        return S3Address.parse(url)
    except SettingsError as error:
        raise SettingsError(f"{variable}: {error}") from error


def set_up_users(admin: S3Address, wanted: Mapping[Component, S3Address]) -> Iterator[str]:
    """Make the components' buckets and users or update them, each with its policy alone; what was done.

    Args:
        admin: how to sign in as who may do that, and the bucket of models and results.
        wanted: how the components sign in; the ingestion engine's address names its bucket.

    Raises:
        ObjectStoreError: a bucket cannot be made.
        SettingsError: the store has no way to add users that MinIO's have, or refuses.
    """
    ingestion = wanted.get(Component.INGESTION, admin)
    for bucket in sorted({admin.bucket, ingestion.bucket}):
        MinioStore(replace(admin, bucket=bucket))
        yield f"Object store: the bucket {bucket} is there."
    buckets = Buckets(atlas=admin.bucket, ingestion=ingestion.bucket)
    client = _client(admin)
    for component, address in wanted.items():
        with _errors(admin):
            _set_up(client, component, address, buckets)
        yield f"Object store user of the {component}: {address.access_key} has its policy."


def _set_up(client: MinioAdmin, component: Component, address: S3Address, buckets: Buckets) -> None:
    name = f"{buckets.atlas}-{component}"
    client.policy_add(name, policy=policy(component, buckets))
    client.user_add(address.access_key, address.secret_key)
    client.policy_set(name, user=address.access_key)


def _client(admin: S3Address) -> MinioAdmin:
    return MinioAdmin(
        endpoint=admin.endpoint,
        credentials=StaticProvider(admin.access_key, admin.secret_key),
        region=admin.region or "",
        secure=admin.secure,
        http_client=connections(admin),
    )


@contextmanager
def _errors(admin: S3Address) -> Iterator[None]:
    try:
        yield
    except (MinioAdminException, urllib3.exceptions.HTTPError) as error:
        raise SettingsError(
            f"{ADMIN}: {admin.endpoint} adds no users: {error}. Where a store has a way of its own to add users, "
            f"leave {ADMIN} unset and make them there."
        ) from error
