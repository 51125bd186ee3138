"""What must hold between settings, what production asks for on top, and what follows from them."""

import base64
import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.settings import load_settings
from tests.unit.bootstrap.environments import DEV, PROD, complaint, complaint_in_prod, complaints, load

# --- What must hold between variables


def test_a_deadline_leaves_time_for_one_attempt() -> None:
    mistake = complaint(GENERATION_DEADLINE_SECONDS="60", GENERATION_TIMEOUT_SECONDS="61")
    assert mistake == "GENERATION_DEADLINE_SECONDS should be at least GENERATION_TIMEOUT_SECONDS."


def test_an_access_token_does_not_outlive_the_refresh_token() -> None:
    assert complaint(ACCESS_TOKEN_MINUTES="1000", REFRESH_TOKEN_DAYS="0.5").startswith("ACCESS_TOKEN_MINUTES should ")


def test_storage_in_s3_needs_a_bucket() -> None:
    assert complaint(STORAGE="s3") == "BUCKET_NAME is missing; STORAGE=s3 needs it."


def test_half_an_account_is_a_mistake() -> None:
    """What cannot be used is told at the start, not at the first customer."""
    assert complaint(GOOGLE_CLIENT_ID="x").startswith("GOOGLE_CLIENT_SECRET is missing")
    assert complaint(AWS_SECRET_ACCESS_KEY="x").startswith("AWS_ACCESS_KEY_ID is missing")
    assert len(complaints(DEV | {"DODO_PAYMENTS_API_KEY": "x"})) == 2


def test_cookies_for_other_sites_need_https() -> None:
    assert complaint(COOKIE_SAMESITE="none").startswith("COOKIE_SAMESITE should be lax or strict")
    assert load(COOKIE_SAMESITE="none", PUBLIC_URL="https://api.example.org").secure_cookies


# --- What production asks for on top


def test_a_safe_production_starts() -> None:
    """With pictures in an absolute folder or in S3."""
    assert load_settings(PROD).is_prod
    assert load_settings(PROD | {"STORAGE": "s3", "MEDIA_DIR": "", "BUCKET_NAME": "pictures"}).is_prod


@pytest.mark.parametrize(
    "name",
    [
        "PUBLIC_URL",
        "FRONTEND_URL",
        "CORS_ORIGINS",
        "GOOGLE_ISSUER",
        "REPLICATE_BASE_URL",
        "DODO_PAYMENTS_BASE_URL",
        "BREVO_BASE_URL",
        "S3_ENDPOINT_URL",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ],
)
def test_production_refuses_plain_http(name: str) -> None:
    assert complaint_in_prod(**{name: "http://example.org"}).startswith(f"{name} should start with https:// in prod")


@pytest.mark.parametrize("name", ["REPLICATE_BASE_URL", "DODO_PAYMENTS_BASE_URL", "BREVO_BASE_URL", "GOOGLE_ISSUER"])
@pytest.mark.parametrize("place", ["localhost", "127.0.0.1", "127.8.8.8:9000", "[::1]:9000", "replicate.localhost"])
def test_production_refuses_the_sandbox(name: str, place: str) -> None:
    """By http or https."""
    for scheme in ("http", "https"):
        assert "the sandbox" in complaint_in_prod(**{name: f"{scheme}://{place}/v1"})


def test_a_telemetry_collector_may_run_beside_us() -> None:
    endpoint = "http://localhost:4318"
    assert load_settings(PROD | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}).otel_exporter_otlp_endpoint == endpoint


@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_PREVIOUS", "PSEUDONYM_KEY", "METRICS_TOKEN"])
@pytest.mark.parametrize(
    "secret",
    ["x" * 40, "0123456789abcdef" * 4, "change-me-" + "q8Zr" * 8, "my-super-Secret-key-of-the-application"],
)
def test_production_refuses_secrets_that_can_be_guessed(name: str, secret: str) -> None:
    assert complaint_in_prod(**{name: secret}).startswith(f"{name} should be long and random in prod")


def test_production_refuses_a_short_metrics_token() -> None:
    assert complaint_in_prod(METRICS_TOKEN=secrets.token_hex(7)).startswith("METRICS_TOKEN should be long and random")


@given(st.binary(min_size=32, max_size=64).filter(lambda seed: len(set(seed)) > 24))
def test_random_secrets_are_never_taken_for_guesses(seed: bytes) -> None:
    """In hexadecimal as in base64."""
    for secret in (seed.hex(), base64.b64encode(seed).decode()):
        load_settings(PROD | {"METRICS_TOKEN": secret})


def test_the_pseudonym_key_is_a_key_of_its_own() -> None:
    """The secret key is changed from time to time; pseudonyms would be lost with it."""
    assert complaint_in_prod(PSEUDONYM_KEY=PROD["SECRET_KEY"]).startswith("PSEUDONYM_KEY should differ")


@pytest.mark.parametrize(
    "name", ["REPLICATE_API_TOKEN", "REPLICATE_WEBHOOK_SECRET", "BREVO_API_KEY", "METRICS_TOKEN", "MAIL_FROM"]
)
def test_production_needs_its_accounts(name: str) -> None:
    assert complaint_in_prod(**{name: ""}).startswith(f"{name} is missing; ")


@pytest.mark.parametrize("folder", ["", "pictures", "./pictures"])
def test_production_keeps_pictures_in_an_absolute_folder(folder: str) -> None:
    """A relative one depends on where the process was started."""
    assert complaint_in_prod(MEDIA_DIR=folder).startswith("MEDIA_DIR should be an absolute folder")


# --- What follows from them


def test_browsers_may_call_from_the_frontends_and_from_our_own_pages() -> None:
    settings = load(FRONTEND_URL="https://example.org/app", CORS_ORIGINS="https://a.example.org, https://b.example.org")
    assert settings.origins == {
        "https://example.org",
        "https://a.example.org",
        "https://b.example.org",
        "http://localhost:8000",
    }


@pytest.mark.parametrize(
    ("address", "secure"),
    [
        ("https://localhost", True),
        ("http://localhost:8000", False),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
        ("http://api.localhost", False),
        ("http://192.168.0.9:8000", True),
        ("http://localhost.example.org", True),
    ],
)
def test_cookies_are_secure_but_for_plain_http_on_this_machine(address: str, secure: bool) -> None:
    assert load(PUBLIC_URL=address).secure_cookies is secure


@pytest.mark.parametrize(
    ("public", "provider", "is_asked"),
    [
        ("https://api.example.org", "https://api.replicate.com/v1", True),
        ("http://localhost:8000", "http://127.0.0.1:9000/replicate/v1", True),
        ("http://localhost:8000", "https://api.replicate.com/v1", False),
        ("http://192.168.0.9:8000", "http://127.0.0.1:9000/replicate/v1", False),
    ],
)
def test_webhooks_are_asked_for_where_the_provider_can_reach_us(public: str, provider: str, is_asked: bool) -> None:
    settings = load(
        PUBLIC_URL=public,
        REPLICATE_BASE_URL=provider,
        REPLICATE_WEBHOOK_SECRET=PROD["REPLICATE_WEBHOOK_SECRET"],
    )
    assert settings.webhook_url == (f"{public}/api/v1/image/webhook" if is_asked else None)


def test_without_a_secret_to_check_them_no_webhooks_are_asked_for() -> None:
    """The secret may be absent in development; the poller learns of every result too."""
    assert load(PUBLIC_URL="https://api.example.org").webhook_url is None


def test_outputs_come_over_plain_http_from_a_provider_that_is_played_only() -> None:
    """In production from nowhere."""
    assert load(REPLICATE_BASE_URL="http://127.0.0.1:9000/replicate/v1").played_output_host == "127.0.0.1:9000"
    assert load_settings(PROD).played_output_host is None


def test_pictures_lie_in_the_data_folder_unless_told_otherwise() -> None:
    assert load(HAIRTRYON_DATA="/srv/hair").media_folder == Path("/srv/hair/media")
    assert load(MEDIA_DIR="/srv/pictures").media_folder == Path("/srv/pictures")


def test_settings_can_be_printed_without_harm() -> None:
    assert repr(load_settings(PROD)) == "Settings(hairtryon_env='prod')"
