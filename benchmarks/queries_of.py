"""Prints how many queries each page costs, as one object: `python -m benchmarks.queries_of NAME=ADDRESS ...`.

A page is read by one of `benchmarks.people` over the database of DATABASE_URL, the sign-in page by whom nobody knows.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - after the settings
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext, setup_test_environment  # noqa: E402

from benchmarks.pages import LOGIN  # noqa: E402
from benchmarks.people import NAMES  # noqa: E402


def counted(client: Client, address: str) -> int:
    """How many queries a page costs once all that is kept in memory is there."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}")
        return len(captured)


def main() -> None:
    """Count and print."""
    setup_test_environment()
    stranger, reader = Client(), Client()
    reader.force_login(User.objects.get(username=NAMES[0]))
    pages = dict(argument.split("=", 1) for argument in sys.argv[1:])
    numbers = {page: counted(stranger if page == LOGIN else reader, address) for page, address in pages.items()}
    sys.stdout.write(json.dumps(numbers) + "\n")


if __name__ == "__main__":
    main()
