import json
from typing import Any

import pytest
from click.testing import Result

from presentation.cli.images import image_commands
from tests.integration.cli.conftest import Terminal
from tests.servers import fetch

ADA = "ada@example.com"
WHY = ("--reason", "stuck", "--json")
TRY_ON = """
INSERT INTO styles (slug, name, description, category, thumbnail, position, is_active, prompt_version)
VALUES ('bob', 'Bob', '', 'standard', '', 1, true, 1);
INSERT INTO style_prompts VALUES (1, 1, '', '', '', '');
INSERT INTO uploads (user_id, key, digest, width, height, size, created_at)
VALUES (1, 'uploads/x.jpg', '', 300, 400, 1, now());
INSERT INTO images (user_id, style_id, prompt_version, upload_id, folder, status, is_favourite, created_at)
VALUES (1, 1, 1, 1, 'folder', 'PENDING', false, now());
INSERT INTO views (image_id, view, status, round, attempt, claim, stumbles, accepted_at, deadline_at, due_at)
SELECT 1, unnest(ARRAY['front', 'left']), 'PENDING', 1, 0, 0, 0, now(), now() + interval '15 minutes', now();
INSERT INTO holds (view_id, round, user_id, amount, status, created_at)
SELECT id, 1, 1, 1, 'PENDING', now() FROM views;
UPDATE users SET credits = 2, credits_held = 2;
"""
"""Ada's, of two views that wait, and that are paid with her last credits."""


@pytest.fixture
def ada(terminal: Terminal) -> Terminal:
    terminal.add_user(ADA)
    terminal.execute(TRY_ON)
    return terminal


def shown(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def held(terminal: Terminal) -> int:
    ((credits_held,),) = fetch(terminal.database_url, "SELECT credits_held FROM users")
    return int(credits_held)


def test_try_ons_are_listed_and_shown(ada: Terminal) -> None:
    """As tables for people, and as JSON for scripts."""
    listed = ada.type(image_commands, "list", "--user", ADA)
    for word in (ADA, "Bob", "front PENDING, left PENDING"):
        assert word in listed.stdout
    assert shown(ada.type(image_commands, "list", "--status", "failed", "--json"))["items"] == []
    assert ada.type(image_commands, "list", "--user", "bob@example.com").exit_code == 3
    told = ada.type(image_commands, "show", "1").stdout
    for word in (ADA, "round 1, attempt 0", "hold PENDING", "deadline"):
        assert word in told
    assert [view["view"] for view in shown(ada.type(image_commands, "show", "1", "--json"))["views"]] == [
        "front",
        "left",
    ]


def test_what_is_failed_is_given_back_and_retried(ada: Terminal) -> None:
    """Failing is asked about first; a retry holds the price once more, and is announced to a worker."""
    refused = ada.type(image_commands, "fail", "1", *WHY, typed="n\n")
    assert (refused.exit_code, refused.stdout, held(ada)) == (1, "", 2)
    failed = shown(ada.type(image_commands, "fail", "1", "--error", "provider_timeout", *WHY, "--yes"))
    assert (failed["status"], failed["views"][0]["error"], held(ada)) == ("FAILED", "provider_timeout", 0)
    assert ada.type(image_commands, "fail", "1", *WHY, "--yes").exit_code == 4
    retried = shown(ada.type(image_commands, "retry", "1", *WHY))
    assert (retried["status"], retried["views"][0]["round"], held(ada)) == ("PROCESSING", 2, 2)
    jobs = fetch(ada.database_url, "SELECT job, payload->>'view_id' FROM outbox")
    assert [tuple(row) for row in jobs] == [("submit_view", "1")]


def test_what_is_cancelled_is_given_back(ada: Terminal) -> None:
    assert shown(ada.type(image_commands, "cancel", "1", *WHY))["status"] == "CANCELLED"
    assert held(ada) == 0
    assert ada.type(image_commands, "cancel", "1", *WHY).exit_code == 4
    rows = fetch(ada.database_url, "SELECT action, subject, reason, details FROM audit_entries")
    assert [tuple(row)[:3] for row in rows] == [("image.cancel", "image:1", "stuck")]


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (("retry", "1", *WHY), 4),
        (("show", "2"), 3),
        (("cancel", "2", *WHY), 3),
        (("cancel", "0", *WHY), 2),
        (("cancel", "1"), 2),
        (("fail", "1", *WHY, "--yes", "--view", "top"), 2),
        (("fail", "1", *WHY, "--yes", "--view", "back"), 4),
        (("fail", "1", *WHY, "--yes", "--error", "boredom"), 2),
        (("list", "--cursor", "?"), 2),
    ],
)
def test_what_cannot_be_done_is_told(ada: Terminal, words: tuple[str, ...], exit_code: int) -> None:
    """And nothing changes."""
    refused = ada.type(image_commands, *words)
    assert (refused.exit_code, refused.stdout, held(ada)) == (exit_code, "", 2)


def test_who_cannot_pay_is_granted_credits_first(ada: Terminal) -> None:
    ada.type(image_commands, "fail", "1", *WHY, "--yes")
    ada.execute("UPDATE users SET credits = 0")
    refused = ada.type(image_commands, "retry", "1", *WHY)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "insufficient_credits" in refused.stderr
