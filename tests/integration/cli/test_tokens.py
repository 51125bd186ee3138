import json

from tests.integration.cli.conftest import Terminal


def test_an_operator_removes_what_has_expired(terminal: Terminal) -> None:
    """And is told how much that was, in JSON alone on stdout."""
    terminal.execute("INSERT INTO blacklist_tokens VALUES ('old', now() - interval '1 hour'), ('new', now())")
    purged = terminal.start("tokens", "purge", "--json")
    assert purged.returncode == 0, purged.stderr
    assert json.loads(purged.stdout)["tokens"] == 1
    assert json.loads(terminal.start("tokens", "purge", "--json").stdout)["tokens"] == 0
