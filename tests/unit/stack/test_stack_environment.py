from pathlib import Path

import pytest

from bootstrap.stack import StackError, StackFolder, operator_environment, read_environment
from bootstrap.stack.environment import provided, sandbox_environment


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """`.env` fills what the environment does not name."""
    (tmp_path / ".env").write_text("# a comment\nMAIL_FROM=file@example.org\nLOG_LEVEL='debug'\n")
    read = read_environment({"MAIL_FROM": "shell@example.org"}, tmp_path)
    assert read == {"MAIL_FROM": "shell@example.org", "LOG_LEVEL": "debug"}


def test_an_empty_value_is_as_good_as_none(tmp_path: Path) -> None:
    """A template's empty lines count for nothing, and an empty variable takes back what the file says."""
    (tmp_path / ".env").write_text("DATABASE_URL=\nLOG_LEVEL=debug\n")
    assert read_environment({"LOG_LEVEL": ""}, tmp_path) == {}


def test_a_stack_provides_what_the_environment_does_not_name(tmp_path: Path) -> None:
    """Keys, folders and addresses are given, and what was named is left as it is."""
    given = {"STORAGE": "s3", "DATABASE_URL": "postgresql://elsewhere/x"}
    environ = provided(StackFolder(tmp_path), given, {"REDIS_URL": "redis://here/0"})
    assert environ["STORAGE"] == "s3"
    assert environ["DATABASE_URL"] == "postgresql://elsewhere/x"
    assert environ["REDIS_URL"] == "redis://here/0"
    assert environ["HAIRTRYON_ENV"] == "dev"
    assert environ["MEDIA_DIR"] == str(tmp_path / "media")
    assert environ["SECRET_KEY"]


def test_the_sandboxs_webhook_secret_is_not_taken_for_another_providers(tmp_path: Path) -> None:
    """A provider elsewhere signs with a secret of its own."""
    folder = StackFolder(tmp_path)
    assert "REPLICATE_WEBHOOK_SECRET" in provided(folder, {}, {})
    assert "REPLICATE_WEBHOOK_SECRET" not in provided(folder, {"REPLICATE_BASE_URL": "https://elsewhere.org"}, {})


def test_google_is_played_with_a_client_of_its_own(tmp_path: Path) -> None:
    """Unless a provider or a client is named; the sandbox is told the client that the API has, and its way back."""
    folder = StackFolder(tmp_path)
    address = {"PUBLIC_URL": "http://localhost:8000"}
    played = provided(folder, {}, address)
    told = sandbox_environment(played)
    assert (told["SANDBOX_GOOGLE_CLIENT_ID"], told["SANDBOX_GOOGLE_CLIENT_SECRET"]) == (
        played["GOOGLE_CLIENT_ID"],
        played["GOOGLE_CLIENT_SECRET"],
    )
    assert told["SANDBOX_GOOGLE_REDIRECT_URI"] == "http://localhost:8000/api/v1/auth/google/callback"
    named = {"GOOGLE_CLIENT_ID": "ours", "GOOGLE_CLIENT_SECRET": "known to Google"}
    assert provided(folder, named, address).items() >= named.items()
    assert "GOOGLE_CLIENT_ID" not in provided(folder, {"GOOGLE_ISSUER": "https://elsewhere.org"}, address)


def test_payments_are_played_with_an_account_of_their_own(tmp_path: Path) -> None:
    """Unless a provider or an account is named; the sandbox is told the account, and where its events go."""
    folder = StackFolder(tmp_path)
    address = {"PUBLIC_URL": "http://localhost:8000"}
    played = provided(folder, {"CREDIT_PRICE_MINOR": "250"}, address)
    told = sandbox_environment(played)
    for name in ("API_KEY", "PRODUCT_ID", "WEBHOOK_SECRET"):
        assert told[f"SANDBOX_DODO_{name}"] == played[f"DODO_PAYMENTS_{name}"]
    assert told["SANDBOX_DODO_WEBHOOK_URL"] == "http://localhost:8000/api/v1/payment/webhook"
    assert told["SANDBOX_DODO_PRICE_MINOR"] == "250"
    elsewhere = provided(folder, {"DODO_PAYMENTS_BASE_URL": "https://test.dodopayments.com"}, address)
    assert not {name for name in elsewhere if name.startswith("DODO_PAYMENTS")} - {"DODO_PAYMENTS_BASE_URL"}


def test_an_operator_command_uses_the_database_that_is_named(tmp_path: Path) -> None:
    """A stack that runs beside it is not asked."""
    StackFolder(tmp_path).announce({"DATABASE_URL": "postgresql://stack/x"})
    named = {"DATABASE_URL": "postgresql://named/x", "HAIRTRYON_DATA": str(tmp_path)}
    assert operator_environment(named) == named


def test_an_operator_command_without_a_database_uses_the_running_stack(tmp_path: Path) -> None:
    """It is told everything that the stack's own programs were told."""
    StackFolder(tmp_path).announce({"DATABASE_URL": "postgresql://stack/x", "REDIS_URL": "redis://stack/0"})
    environ = operator_environment({"HAIRTRYON_DATA": str(tmp_path)})
    assert environ["DATABASE_URL"] == "postgresql://stack/x"
    assert environ["SECRET_KEY"] == StackFolder(tmp_path).secrets()["SECRET_KEY"]


def test_an_operator_command_says_when_no_stack_runs(tmp_path: Path) -> None:
    """And what to do about it."""
    with pytest.raises(StackError, match=f"DATABASE_URL is not set, and no stack runs in {tmp_path}"):
        operator_environment({"HAIRTRYON_DATA": str(tmp_path)})
