"""docker-compose.yml, its Dockerfile and `.env.example` agree, and keep what Atlas promises."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OF_OTHERS = {"postgres", "minio"}
OURS = sorted(SERVICES.keys() - OF_OTHERS)
ON_CALL = {"backup", "restore", "doctor"}
STAYING = sorted(SERVICES.keys() - {"prepare", *ON_CALL})
EXAMPLE = (ROOT / ".env.example").read_text()


def networks(name: str) -> set[str]:
    return set(SERVICES[name].get("networks", ()))


def secrets(name: str) -> set[str]:
    return set(SERVICES[name].get("secrets", ()))


def sharing(network: str) -> set[str]:
    return {name for name in SERVICES if network in networks(name)}


def test_only_the_proxy_opens_ports_of_the_server() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_only_the_proxy_and_the_messenger_are_in_networks_that_lead_out() -> None:
    leading_out = {name for name, network in COMPOSE["networks"].items() if not network.get("internal")}
    assert leading_out == {"public", "outbound"}
    assert sharing("public") == {"proxy"}
    assert sharing("outbound") == {"messenger"}
    assert COMPOSE["networks"]["data"]["internal"] == "${ATLAS_DATA_INTERNAL:-true}"


def test_the_proxy_reaches_neither_database_nor_store() -> None:
    assert networks("proxy") == {"public", "front"}
    assert not sharing("front") & OF_OTHERS


@pytest.mark.parametrize("name", OURS)
def test_our_containers_write_nowhere_but_to_their_volume_and_are_not_root(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["user"] == "10001:10001"
    assert "cap_add" not in service
    writable = [each for each in service.get("volumes", ()) if not each.endswith(":ro")]
    backups = ["${ATLAS_BACKUPS:-backups}:/backups"] if name in {"backup", "restore"} else []
    assert writable in ([], [f"{name}:/var/lib/atlas", *backups])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_container_gains_privileges_or_takes_all_of_the_machine(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["pids_limit"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["init"] is True


@pytest.mark.parametrize("name", STAYING)
def test_what_stays_is_watched_and_started_again(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["stop_grace_period"]


def test_all_that_use_the_tables_wait_until_they_are_prepared() -> None:
    users = {name for name in OURS if any(secret.startswith("database-url") for secret in secrets(name))}
    for name in users - {"prepare", *ON_CALL}:
        assert SERVICES[name]["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}
    for name in ("prepare", "backup", "restore"):
        assert SERVICES[name]["depends_on"].keys() == OF_OTHERS


def test_each_variable_is_explained_and_each_that_is_explained_is_used() -> None:
    used = set(re.findall(r"\$\{(\w+)", TEXT))
    explained = set(re.findall(r"^#?([A-Z]\w+)=", EXAMPLE, re.MULTILINE))
    assert used == explained


def test_explained_defaults_are_those_that_count() -> None:
    simple = dict(re.findall(r"\$\{(\w+):-([^${}]*)\}", TEXT))
    explained = dict(re.findall(r"^#([A-Z]\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert {name: explained[name] for name in simple} == simple


def test_each_service_has_the_secrets_that_it_names_and_no_others() -> None:
    for name, service in SERVICES.items():
        said = str([service.get("environment"), service.get("healthcheck")])
        named = set(re.findall(r"/run/secrets/([\w.-]+)", said))
        of_addresses = (
            {"ca.crt"} if any(re.match("database-url|object-store|ingestion-store", each) for each in named) else set()
        )
        if name not in {"proxy", *OF_OTHERS}:  # these read theirs by their own configuration
            assert secrets(name) == named | of_addresses, name


def test_secrets_are_given_to_whoever_needs_them_alone() -> None:
    holders = {secret: {name for name in SERVICES if secret in secrets(name)} for secret in COMPOSE["secrets"]}
    assert holders["database-url"] == holders["object-store-admin"] - {"minio"} == {"prepare", "restore"}
    assert holders["admin-password"] == {"prepare"}
    assert holders["database-url-dashboard"] == {"dashboard", "prepare"}
    assert holders["secret-key"] == {"dashboard", "ingestion"}
    assert holders["proxy.key"] == {"proxy"}
    assert all(holders.values())


def test_no_secret_stands_in_a_file_of_ours() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|_KEY|DATABASE_URL|OBJECT_STORE|INGESTION_STORE", variable):
                assert variable.endswith("_FILE"), f"{name}: {variable}"
                assert value.startswith("/run/secrets/")
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"/.env", "/secrets/", "/settings/"} <= set(ignored)


def test_images_are_named_with_their_version_and_may_come_from_elsewhere() -> None:
    for service in SERVICES.values():
        assert re.fullmatch(
            r"\$\{\w+:-[\w/-]+\}:\$\{ATLAS_VERSION:-latest\}|\$\{\w+:-[\w/-]+:[\w.-]+\}", service["image"]
        )


def test_the_image_is_made_of_each_package_of_the_wheel() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    allowed = re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert re.findall(r"^COPY (\w+)/ \1/$", dockerfile, re.MULTILINE) == wheel["packages"]
    assert set(allowed) - {"LICENSE", "docker"} == set(wheel["packages"])


def test_the_example_of_a_directory_has_settings_that_exist() -> None:
    documented = (ROOT / "docs/reference/settings.md").read_text()
    for line in (ROOT / "docker/ldap-example/ldap.env").read_text().splitlines():
        if not line.startswith("#"):
            assert f"`{line.partition('=')[0]}`" in documented
