"""`scripts/make-secrets` makes the passwords, keys and certificates that docker-compose.yml wants."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of secrets for two hosts."""
    folder = tmp_path_factory.mktemp("made") / "secrets"
    make_secrets(folder, "atlas.example.org", "192.0.2.7")
    return folder


def make_secrets(folder: Path, *hosts: str) -> str:
    return run(ROOT / "scripts/make-secrets", "--folder", folder, *hosts)


def run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_each_secret_of_compose_is_made_but_for_the_token_of_a_person(made: Path) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    files = {path.name for path in made.iterdir()}
    assert files - {"ca.key"} == compose["secrets"].keys() - {"training-token"}


def test_others_on_the_server_reach_no_secret(made: Path) -> None:
    assert made.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in made.iterdir() if path.name != "ca.key"} == {0o644}
    assert (made / "ca.key").stat().st_mode & 0o777 == 0o600


def test_certificates_are_for_the_names_that_are_asked_for(made: Path) -> None:
    shown = run("openssl", "x509", "-in", made / "proxy.crt", "-noout", "-ext", "subjectAltName")
    assert {"DNS:atlas.example.org", "IP Address:192.0.2.7"} <= set(re.split(r",?\s{2,}|, |\n", shown))
    for name in ("proxy", "postgres", "minio"):
        run("openssl", "verify", "-CAfile", made / "ca.crt", made / f"{name}.crt")


def test_what_is_there_is_kept_and_what_lacks_is_made(made: Path) -> None:
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    (made / "webhook-secret").unlink()
    said = make_secrets(made, "other.example.org")
    after = {path.name: path.read_bytes() for path in made.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"webhook-secret"}
    assert "webhook-secret" in said


def test_without_a_host_nothing_is_made(tmp_path: Path) -> None:
    command = f"{ROOT}/scripts/make-secrets", "--folder", f"{tmp_path}/secrets"
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "atlas.example.org" in done.stderr
    assert not (tmp_path / "secrets").exists()
