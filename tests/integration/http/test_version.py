"""Which version runs, wherever one asks."""

import tomllib
from pathlib import Path

from click.testing import CliRunner

import domain
from bootstrap.cli import main
from tests.integration.http.scrape import counted
from tests.integration.http.stories import Service

PROJECT = Path(domain.__file__).parents[2] / "pyproject.toml"


async def test_the_version_is_the_same_everywhere(service: Service) -> None:
    """In the package, the command, the OpenAPI document, and the metrics of each process."""
    version = tomllib.loads(PROJECT.read_text())["project"]["version"]
    assert CliRunner().invoke(main, ["--version"]).output == f"hairtryon, version {version}\n"
    document = (await service.browser().get(service.root("/schema/openapi.json"))).json()
    assert document["info"]["version"] == version
    assert await counted(service, "hairtryon_build_info") == {(version,): 1}
