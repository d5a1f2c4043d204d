"""A Docker engine and a project of Compose that all tests here share: to bring Atlas up takes a minute."""

import os
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from tests.compose.disk import small_disk
from tests.compose.engine import Docker, docker_engine
from tests.compose.project import Project
from tests.servers import MissingComponentError

PROJECT = "atlas-tests"
OBJECTS_MB = 400


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """An engine: without one all is skipped, and said so loudly, but where CI=true that is a failure."""
    try:
        with docker_engine() as found:
            yield found
    except MissingComponentError as missing:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(f"ATLAS ON DOCKER COMPOSE IS NOT TESTED: {missing}")


@pytest.fixture(scope="session")
def built(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose images are there, and which is not up. Its object store has a disk of its own, if root can be
    asked for one."""
    folder = tmp_path_factory.mktemp("compose")
    disk = small_disk(folder / "objects", OBJECTS_MB) if os.geteuid() == 0 else nullcontext()
    with disk as objects, pytest.MonkeyPatch.context() as patch:
        project = Project(docker=docker, name=PROJECT, folder=folder, objects=objects)
        patch.setenv("SSL_CERT_FILE", str(project.authority))
        project.build()
        try:
            yield project
        finally:
            project.down()


@pytest.fixture
def project(built: Project) -> Project:
    """The same, up."""
    built.up()
    return built
