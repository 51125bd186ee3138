"""What the environment says is understood as it is meant, or told with everything that is wrong."""

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
from tests.unit.bootstrap.environments import DEV, PROD, complaint, complaints, load

EXAMPLE = Path(__file__).parents[3] / ".env.example"
VARIABLES = {field.encode_name: field for field in fields(Settings)}
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


# --- Names, defaults and .env.example


def test_the_environment_needs_to_name_four_variables_only() -> None:
    """Everything else has a default, and other programs' variables are not looked at."""
    settings = load(HAIRTRYON_OPERATOR="ada", HAIRTRYON_UNKNOWN="x", PATH="/bin")
    assert settings.hairtryon_env == "dev"
    assert {mistake.partition(" ")[0] for mistake in complaints({})} == set(DEV)


def test_an_empty_variable_is_as_good_as_none() -> None:
    settings = load_settings({**dict.fromkeys(VARIABLES, "  "), **DEV})
    assert settings == load_settings(DEV)


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
    assert load_settings(copied | DEV) == load_settings(DEV)


def test_defaults_are_themselves_acceptable() -> None:
    """Whoever writes a default out gets the very same settings."""
    written = {name: str(field.default) for name, field in VARIABLES.items() if not field.required}
    assert load_settings(written | DEV) == load_settings(DEV)


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
        load_settings(DEV | environ)
    except SettingsError as refusal:
        told = refusal.mistakes
    assert all(mistake.partition(" ")[0] in VARIABLES for mistake in told)
