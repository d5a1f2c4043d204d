"""What the settings make of the environment, as processes of their own read it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCTION = {"ATLAS_HTTPS": "true", "ATLAS_PROXIES": "1", "ATLAS_ALLOWED_HOSTS": '["atlas.example.org"]'}
WITHOUT_LDAP = "import sys; sys.modules['ldap'] = None; import atlas_web.settings"


def run(data: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")}
    environment = kept | {"ATLAS_DATA_DIR": str(data), "PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_django_finds_nothing_to_warn_of_in_production(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_a_directory_without_its_packages_is_an_error_that_says_what_to_install(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", WITHOUT_LDAP, ATLAS_LDAP_URL="ldap://127.0.0.1")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "ATLAS_LDAP_URL is set, but ldap is not installed: pip install 'atlas-benchmark[ldap]'" in last


def test_without_a_directory_its_packages_are_not_needed(tmp_path: Path) -> None:
    assert run(tmp_path, "-c", WITHOUT_LDAP).returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ATLAS_LDAP_URL", "example.org"),
        ("ATLAS_LDAP_USER_FILTER", "(uid=ilse)"),
        ("ATLAS_LDAP_GROUP_KIND", "club"),
        ("ATLAS_LDAP_CA_FILE", "/nowhere.pem"),
        ("ATLAS_SIGN_IN_FAILURES", "0"),
        ("ATLAS_PROXIES", "-1"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    done = run(tmp_path, "-c", "import atlas_web.settings", **{name: value})
    assert done.returncode == 1
    assert f"SettingsError: {name}: " in done.stderr
