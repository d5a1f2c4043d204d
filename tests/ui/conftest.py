"""Pages take their static files straight from the packages: nothing has been collected."""

from collections.abc import Iterator

import pytest
from django.test import override_settings


@pytest.fixture(autouse=True, scope="session")
def nothing_collected() -> Iterator[None]:
    with override_settings(STATIC_ROOT=None):
        yield
