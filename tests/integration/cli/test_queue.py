import json
from typing import Any

import pytest
from click.testing import Result

from presentation.cli.queue import queue_commands
from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_images import ADA, TRY_ON, held
from tests.servers import fetch

NOW = ("--timeout", "0")
ANNOUNCED = """
INSERT INTO outbox (job, payload, due_at)
SELECT 'submit_view', jsonb_build_object('view_id', id), now() FROM views WHERE view = 'front'
"""
REST = ("--fail-rest", "--reason", "the database moves")


@pytest.fixture
def ada(terminal: Terminal) -> Terminal:
    """Two views of hers wait, the front announced, the other for when that is done; and no worker runs."""
    terminal.add_user(ADA)
    terminal.execute(TRY_ON, ANNOUNCED)
    return terminal


def shown(result: Result) -> Any:
    return json.loads(result.stdout)


def test_what_is_to_be_done_is_shown(ada: Terminal) -> None:
    """As a table for people and as JSON for scripts; that Redis does not answer is told, and no reason to fail."""
    asked = ada.type(queue_commands, "status", "--json")
    assert asked.exit_code == 0
    told = shown(asked)
    assert (told["bell_answers"], told["backlog"]["views_pending"]) == (False, 2)
    table = ada.type(queue_commands, "status").stdout
    for word in ("views pending", "2 PENDING", "gate", "open"):
        assert word in table


def test_an_empty_queue_is_drained_at_once(terminal: Terminal) -> None:
    drained = terminal.type(queue_commands, "drain", "--json")
    assert (drained.exit_code, drained.stderr) == (0, "0 views in progress, 0 announcements due\n")
    assert shown(drained)["backlog"]["views_pending"] == 0


def test_what_is_left_when_the_time_is_up_is_told_with_6(ada: Terminal) -> None:
    """It is asked again meanwhile, and nothing changes."""
    left = ada.type(queue_commands, "drain", "--timeout", "1.2", "--json")
    assert (left.exit_code, shown(left)["backlog"]["views_pending"], held(ada)) == (6, 2, 2)
    assert left.stderr == "2 views in progress, 1 announcements due\n"


def test_what_is_left_is_failed_when_the_operator_says_so(ada: Terminal) -> None:
    """Nobody's credits hang in the air, though no worker runs: what is announced waits for one, and is told."""
    refused = ada.type(queue_commands, "drain", *NOW, *REST, typed="n\n")
    assert (refused.exit_code, refused.stdout, held(ada)) == (1, "", 2)
    drained = ada.type(queue_commands, "drain", *NOW, *REST, "--yes", "--json")
    assert (drained.exit_code, shown(drained)["backlog"]["views_pending"], held(ada)) == (0, 0, 0)
    assert drained.stderr.splitlines()[1:] == [
        "Failed 2 views of 1 try-ons.",
        f"Announcements that wait for the next worker: {shown(drained)['backlog']['outbox_due']}.",
    ]
    assert shown(drained)["backlog"]["outbox_due"] > 0
    rows = fetch(ada.database_url, "SELECT action, subject, reason FROM audit_entries")
    assert [tuple(row) for row in rows] == [("queue.drain", "image:1", "the database moves")]


def test_failing_the_rest_needs_a_reason(ada: Terminal) -> None:
    refused = ada.type(queue_commands, "drain", *NOW, "--fail-rest", "--yes")
    assert (refused.exit_code, held(ada)) == (2, 2)
    blank = ada.type(queue_commands, "drain", *NOW, "--fail-rest", "--yes", "--reason", " ")
    assert (blank.exit_code, held(ada)) == (2, 2)


def test_where_only_announcements_are_left_there_is_nothing_to_fail(terminal: Terminal) -> None:
    """With --fail-rest it is the views that count; without, whoever waits is told that a worker has yet to run."""
    terminal.execute("INSERT INTO outbox (job, payload, due_at) VALUES ('erase_image', '{}', now())")
    assert terminal.type(queue_commands, "drain", *NOW).exit_code == 6
    drained = terminal.type(queue_commands, "drain", *NOW, *REST, "--yes")
    assert drained.exit_code == 0
    assert drained.stderr.splitlines()[1:] == ["Announcements that wait for the next worker: 1."]
