"""People who read pages of a dashboard at the same time, each as soon as the page before has come."""

import random
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import httpx

from benchmarks.pages import LOGIN

SESSION = "sessionid"
PATIENCE_SECONDS = 120.0
Times = dict[str, list[float]]
"""Seconds from a request until its answer had come as a whole, by page."""


class Reader:
    """A person with a browser: on each page signed in, but on the sign-in page unknown."""

    def __init__(self, address: str, session: str, seed: int) -> None:
        self._address = address
        self._cookie = {"Cookie": f"{SESSION}={session}"}
        self._random = random.Random(seed)  # noqa: S311 - it draws an order of pages

    def read(self, pages: Mapping[str, str], times: int) -> Times:
        """Read each page so often, in an order of this reader's own."""
        found: Times = defaultdict(list)
        for _ in range(times):
            for page in self._random.sample(sorted(pages), len(pages)):
                found[page].append(self._seconds(pages[page], {} if page == LOGIN else self._cookie))
        return found

    def _seconds(self, path: str, headers: Mapping[str, str]) -> float:
        """How long one page takes, over a connection of its own, as a proxy opens it.

        Raises:
            RuntimeError: the answer is none.
        """
        started = time.perf_counter()
        connection = HTTPConnection(self._address, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", path, headers={**headers, "Connection": "close"})
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return time.perf_counter() - started


def sign_in(address: str, name: str, password: str) -> str:
    """A session's key, got by the form of the sign-in page."""
    with httpx.Client(base_url=f"http://{address}", timeout=PATIENCE_SECONDS) as client:
        client.get("/login/").raise_for_status()
        token = client.cookies["csrftoken"]
        client.post("/login/", data={"username": name, "password": password, "csrfmiddlewaretoken": token})
        return client.cookies[SESSION]


def together(readers: Sequence[Reader], pages: Mapping[str, str], times: int) -> Times:
    """What each reader waited for, all of them reading at the same time."""
    with ThreadPoolExecutor(len(readers)) as pool:
        return joined(pool.map(lambda reader: reader.read(pages, times), readers))


def joined(parts: Iterable[Times]) -> Times:
    """The times of all parts."""
    found: Times = defaultdict(list)
    for part in parts:
        for page, seconds in part.items():
            found[page].extend(seconds)
    return found
