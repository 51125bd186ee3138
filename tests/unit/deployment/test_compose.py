"""What the deployment's files promise, read from them as they are."""

import base64
import re
import secrets
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.settings import load_settings

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / "deploy" / "compose.env.example").read_text()
WITHOUT_A_SECRET = {"VERSION", "FRONTEND_URL", "POSTGRES_LOGIN"}
"""Variables that may have a default."""

each_service = pytest.mark.parametrize("name", SERVICES)


@each_service
def test_a_container_can_do_little(name: str) -> None:
    """Its root cannot be written to, it has no capability, and it cannot get one."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service


@each_service
def test_a_container_is_of_a_known_version(name: str) -> None:
    """No image is whatever was newest on the day it was pulled; ours is named by the version that is deployed."""
    image = SERVICES[name]["image"]
    assert re.fullmatch(r"hair-tryon:\$\{VERSION:-latest\}|[\w./-]+:\d[\w.-]*", image)


def test_only_the_proxy_is_reached_from_outside() -> None:
    """No other container has a port on the machine, and those with data are on networks that lead nowhere."""
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    for name in ("postgres", "valkey", "storage"):
        assert all(COMPOSE["networks"][network]["internal"] for network in SERVICES[name]["networks"])


def test_no_secret_has_a_default() -> None:
    """A variable that is missing stops the start, and the example of an env file gives no secret away."""
    text = (ROOT / "compose.yaml").read_text()
    required = set(re.findall(r"\$\{(\w+):\?", text))
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    assert used - WITHOUT_A_SECRET == required
    given = dict(re.findall(r"^(\w+)=(.+)$", EXAMPLE, re.MULTILINE))
    assert given == {"DODO_PAYMENTS_BASE_URL": "https://live.dodopayments.com"}


def test_the_api_believes_the_proxy_and_nobody_else() -> None:
    """The one trusted address is the proxy's own."""
    trusted = SERVICES["api"]["environment"]["TRUSTED_PROXIES"]
    assert trusted == SERVICES["proxy"]["networks"]["front"]["ipv4_address"]


@pytest.mark.parametrize("name", ["api", "worker", "migrations", "catalogue"])
def test_a_filled_in_example_is_what_production_needs(name: str) -> None:
    """Our programs accept what the env file and `compose.yaml` together tell them."""
    filled = {variable: _made_up(variable) for variable in re.findall(r"^(\w+)=$", EXAMPLE, re.MULTILINE)}
    filled |= dict(re.findall(r"^(\w+)=(.+)$", EXAMPLE, re.MULTILINE))
    told = {variable: _interpolated(value, filled) for variable, value in SERVICES[name]["environment"].items()}
    settings = load_settings(filled | told)
    assert settings.is_prod
    assert settings.public_url == "https://api.example.com"


@pytest.mark.parametrize("name", ["api", "worker"])
def test_there_is_time_to_finish(name: str) -> None:
    """Docker waits longer than the programs do, which are given twenty seconds, twice at most."""
    assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > 2 * 20


@pytest.mark.parametrize("name", ["api", "worker"])
def test_a_process_that_grows_takes_nobody_along(name: str) -> None:
    """Its container ends at a gigabyte, before the machine has none left for the database."""
    assert SERVICES[name]["mem_limit"] == "1g"


def test_valkey_forgets_nothing_by_itself() -> None:
    """It writes what it is told to a file, and refuses rather than drops when it is full."""
    command = SERVICES["valkey"]["command"]
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_the_image_runs_as_nobody_special() -> None:
    """Its last user is a number that is not root's, so that an orchestrator can check it."""
    users = re.findall(r"^USER (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert users == ["10001:10001"]


def _made_up(variable: str) -> str:
    if variable == "DOMAIN":
        return "example.com"
    if variable == "FRONTEND_URL":
        return "https://app.example.com"
    if variable == "MAIL_FROM":
        return "no-reply@example.com"
    if variable.endswith("WEBHOOK_SECRET"):
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(32)


def _interpolated(value: str, variables: dict[str, str]) -> str:
    return re.sub(
        r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}",
        lambda found: variables[found[1]] if found[2] is None else variables.get(found[1]) or found[2],
        value,
    )
