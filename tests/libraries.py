"""Libraries that Atlas can do without, and what tests do where one is missing."""

import importlib
import os
import warnings
from typing import Any

import pytest


def needed(name: str) -> Any:
    """The package, or one line that says why the test is left out; where CI=true nothing may be missing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        reason = f"{error.name} is missing: pip install -r requirements-formats.txt"
        return pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
