import base64
import re
import secrets
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from bootstrap.settings import Settings, SettingsError, load_settings

EXAMPLE = Path(__file__).parents[3] / ".env.example"
VARIABLES = {field.encode_name: field for field in fields(Settings)}
REQUIRED = {
    "DATABASE_URL": "postgresql://app@db.internal/hair",
    "REDIS_URL": "redis://cache.internal/0",
    "SECRET_KEY": secrets.token_urlsafe(32),
    "PSEUDONYM_KEY": secrets.token_urlsafe(32),
}
PROD = {
    **REQUIRED,
    "HAIRTRYON_ENV": "prod",
    "PUBLIC_URL": "https://api.example.org",
    "FRONTEND_URL": "https://www.example.org",
    "REPLICATE_API_TOKEN": secrets.token_hex(20),
    "REPLICATE_WEBHOOK_SECRET": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
    "BREVO_API_KEY": secrets.token_hex(20),
    "METRICS_TOKEN": secrets.token_hex(20),
    "MAIL_FROM": "no-reply@example.org",
    "STORAGE": "disk",
    "MEDIA_DIR": "/srv/pictures",
}


BAD_VALUES = {
    "HAIRTRYON_ENV": ["production"],
    "LOG_LEVEL": ["verbose"],
    "COOKIE_SAMESITE": ["yes"],
    "POLL_SECONDS": ["2s", "2 minutes", "0", "-1", "nan", "inf", "-inf", "1e999", "0,5", "1_0"],
    "REFRESH_TOKEN_DAYS": ["7d", "31", "0"],
    "FREE_USER_CREDITS": ["-1", "2.5", "three", "1e30", "true", "nan"],
    "CREDIT_PRICE_MINOR": ["0"],
    "GENERATION_MAX_ATTEMPTS": ["0"],
    "RATE_LIMIT_AUTH": ["5", "0/minute", "5/fortnight", "-5/minute", "5/minute;9/hour", "\u0665/minute"],
    "PUBLIC_URL": [
        "*",
        "localhost:8000",
        "ftp://example.org",
        "https://",
        "https://example.org/api",
        "https://example.org?x=1",
        "https://example.org#x",
        "https://exa mple.org",
        "https://example.org:99999",
        "https://example.org:https",
        "https://[::1",
        "https://-example.org",
        "https://m\u00fcnchen.example",
        "https://example.org\\@example.com",
        "https://user:word@example.org",
    ],
    "FRONTEND_URL": ["example.org", "https://example.org/?lang=en"],
    "CORS_ORIGINS": ["*", "null", "https://*.example.org", "https://example.org,https://b.org/x", ","],
    "REPLICATE_OUTPUT_HOSTS": ["*", "*.example.org", "https://example.org", "a.org b.org", "u:p@a.org", ","],
    "CDN_DOMAIN": ["https://cdn.example.org", "cdn.example.org/pictures"],
    "TRUSTED_PROXIES": ["nginx", "10.0.0.1/8", "0.0.0.0/0", "::/0", "10.0.0.0/8 10.1.0.0/16"],
    "DATABASE_URL": [
        "db.internal",
        "mysql://h/x",
        "postgres://h/x",
        "postgresql+asyncpg://h/x",
        "postgresql://",
        "postgresql://u:p#w@h/x",
        "postgresql://u:p/w@h/x",
        "postgresql://h:0/x",
    ],
    "REDIS_URL": ["h:6379", "http://h/0", "redis:///0", "redis://h/main"],
    "SECRET_KEY": ["short"],
    "SECRET_KEY_PREVIOUS": ["short"],
    "PSEUDONYM_KEY": ["short"],
    "REPLICATE_WEBHOOK_SECRET": ["whsec_", "whsec_AAAA", "whsec_" + "!" * 40, "A" * 40, "whsec_" + "\u00e9" * 40],
    "BREVO_API_KEY": ["Bearer abc"],
    "MAIL_FROM": ["Hair <no-reply@example.org>", "no-reply@localhost", "a@b.org,c@d.org"],
    "REPLICATE_MODEL": ["seedream-4", "https://replicate.com/bytedance/seedream-4"],
    "BUCKET_NAME": ["s3://pictures"],
    "AWS_REGION": ["US East"],
    "MEDIA_DIR": ["~/pictures"],
    "CREDIT_CURRENCY": ["dollars"],
}
SECRETS = [name for name in VARIABLES if re.search(r"SECRET|_KEY|TOKEN$|^(DATABASE|REDIS)_URL", name)]


def load(**changed: str) -> Settings:
    return load_settings(REQUIRED | changed)


def complaints(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refusal:
        load_settings(environ)
    return refusal.value.mistakes


def complaint(**changed: str) -> str:
    """The one mistake in an otherwise fine development environment."""
    (mistake,) = complaints(REQUIRED | changed)
    return mistake


def complaint_in_prod(**changed: str) -> str:
    """The one mistake in an otherwise fine production environment."""
    (mistake,) = complaints(PROD | changed)
    return mistake


# --- Names, defaults and .env.example


def test_the_environment_needs_to_name_four_variables_only() -> None:
    """Everything else has a default, and other programs' variables are not looked at."""
    settings = load(HAIRTRYON_OPERATOR="ada", HAIRTRYON_UNKNOWN="x", PATH="/bin")
    assert settings.hairtryon_env == "dev"
    assert {mistake.partition(" ")[0] for mistake in complaints({})} == set(REQUIRED)


def test_an_empty_variable_is_as_good_as_none() -> None:
    settings = load_settings({**dict.fromkeys(VARIABLES, "  "), **REQUIRED})
    assert settings == load_settings(REQUIRED)


def test_the_example_explains_every_variable_and_no_other() -> None:
    """Each stands once, empty, below a line that ends with its default."""
    text = EXAMPLE.read_text()
    explained = re.findall(r"^# ([^\n]{10,}?)(?: \[([^]]+)])?\n([A-Z0-9_]+)=$", text, re.MULTILINE)
    defaults = {name: default for _, default, name in explained}
    assert len(explained) == len(defaults)
    assert defaults == {name: "required" if field.required else str(field.default) for name, field in VARIABLES.items()}
    assert set(dotenv_values(EXAMPLE)) == set(VARIABLES)


def test_a_copy_of_the_example_changes_nothing() -> None:
    copied = {name: value or "" for name, value in dotenv_values(EXAMPLE).items()}
    assert load_settings(copied | REQUIRED) == load_settings(REQUIRED)


def test_defaults_are_themselves_acceptable() -> None:
    """Whoever writes a default out gets the very same settings."""
    written = {name: str(field.default) for name, field in VARIABLES.items() if not field.required}
    assert load_settings(written | REQUIRED) == load_settings(REQUIRED)


# --- What an operator means


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("HAIRTRYON_ENV", " TEST ", "test"),
        ("LOG_LEVEL", "WARNING", "warning"),
        ("PUBLIC_URL", "HTTPS://Api.Example.org:443/", "https://api.example.org"),
        ("PUBLIC_URL", "http://[::1]:8000", "http://[::1]:8000"),
        ("FRONTEND_URL", "https://example.org/app/", "https://example.org/app"),
        ("REPLICATE_BASE_URL", "https://api.replicate.com/v1/", "https://api.replicate.com/v1"),
        (
            "CORS_ORIGINS",
            "https://A.example.org/ , http://b.example.org:80,",
            "https://a.example.org,http://b.example.org",
        ),
        ("REPLICATE_OUTPUT_HOSTS", "Replicate.delivery, example.org,", "replicate.delivery,example.org"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, 2001:DB8::1", "10.0.0.0/8,2001:db8::1/128"),
        ("DATABASE_URL", "PostgreSQL://u:p%23w@h:5432/x?ssl=require", "postgresql://u:p%23w@h:5432/x?ssl=require"),
        ("DATABASE_URL", "postgresql:///x?host=/run/postgresql", "postgresql:///x?host=/run/postgresql"),
        ("REDIS_URL", "rediss://u:p@h:6380/1", "rediss://u:p@h:6380/1"),
        ("RATE_LIMIT_AUTH", "5 / Minute", "5/minute"),
        ("CREDIT_CURRENCY", "eur", "EUR"),
        ("POLL_SECONDS", "0.5", 0.5),
        ("ACCESS_TOKEN_MINUTES", "2.5", 2.5),
        ("FREE_USER_CREDITS", "0", 0),
        ("MAIL_FROM_NAME", "Coiffeur Zoë's", "Coiffeur Zoë's"),
    ],
)
def test_what_is_meant_is_understood(name: str, text: str, value: object) -> None:
    """Case, spaces, default ports, a slash at the end and a comma too many change nothing."""
    assert getattr(load(**{name: text}), name.lower()) == value


def test_two_webhook_secrets_are_accepted_while_one_replaces_the_other() -> None:
    both = " ".join("whsec_" + base64.b64encode(secrets.token_bytes(24)).decode() for _ in range(2))
    assert load(REPLICATE_WEBHOOK_SECRET=both).replicate_webhook_secret == both


# --- What an operator gets wrong


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD_VALUES.items() for text in texts])
def test_a_bad_value_is_told_with_the_variables_name(name: str, text: str) -> None:
    """And with what it should be."""
    assert complaint(**{name: text}).startswith(f"{name} should be ")


@pytest.mark.parametrize(
    "form", ['"{}"', "'{}'", "\u201c{}\u201d", "{}\nX: y", "{}\x1b[31m", "{}\0x", "{}\u200bx", "{}\udcffx"]
)
def test_quotation_marks_and_invisible_characters_are_not_part_of_a_value(form: str) -> None:
    """Some tools hand on the quotation marks of a `.env` file; a copied value may hold more than can be seen."""
    assert complaints({name: form.format(PROD.get(name, "1")) for name in VARIABLES}) == [
        f"{name} should be one line of visible text, without quotation marks around it." for name in VARIABLES
    ]


def test_all_mistakes_are_told_at_once() -> None:
    """Values that cannot be read, missing ones, and rules between variables: one start tells them all."""
    environ = PROD | {
        "POLL_SECONDS": "2s",
        "LOG_LEVEL": "loud",
        "PUBLIC_URL": "http://api.example.org",
        "MEDIA_DIR": "pictures",
        "METRICS_TOKEN": "",
        "GENERATION_DEADLINE_SECONDS": "60",
        "REDIS_URL": "",
    }
    names = [mistake.partition(" ")[0] for mistake in complaints(environ)]
    assert sorted(names) == sorted(set(environ) - set(PROD) | {"PUBLIC_URL", "MEDIA_DIR", "METRICS_TOKEN", "REDIS_URL"})


def test_a_rule_says_nothing_about_what_cannot_be_read() -> None:
    """One mistake is told once, not again as its consequence."""
    assert "GENERATION_TIMEOUT_SECONDS" in complaint(
        GENERATION_TIMEOUT_SECONDS="2 min", GENERATION_DEADLINE_SECONDS="100"
    )


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("form", ["{} x", '"{}"', "http://{}", "postgresql://:{}", "redis://h/{}", "whsec_{}"])
def test_no_message_shows_a_secret(name: str, form: str) -> None:
    """Whatever is wrong with it."""
    secret = secrets.token_hex(4)
    assert not any(secret in mistake for mistake in complaints(PROD | {name: form.format(secret), "POLL_SECONDS": "x"}))


@pytest.mark.parametrize("name", ["PUBLIC_URL", "REPLICATE_BASE_URL", "S3_ENDPOINT_URL", "CORS_ORIGINS", "CDN_DOMAIN"])
@pytest.mark.parametrize("form", ["https://u:{}@h", "https://h?token={}", "https://h/?a=b&token={}"])
def test_no_message_shows_credentials_in_an_address(name: str, form: str) -> None:
    secret = secrets.token_hex(4)
    assert secret not in complaint(**{name: form.format(secret)})


@given(st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.text(max_size=40)))
def test_whatever_the_environment_holds_there_are_settings_or_mistakes(environ: dict[str, str]) -> None:
    """Every mistake names a variable, and nothing else is ever raised."""
    told: list[str] = []
    try:
        load_settings(REQUIRED | environ)
    except SettingsError as refusal:
        told = refusal.mistakes
    assert all(mistake.partition(" ")[0] in VARIABLES for mistake in told)


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
    assert len(complaints(REQUIRED | {"DODO_PAYMENTS_API_KEY": "x"})) == 2


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
