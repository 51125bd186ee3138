"""Environments that are as they should be, for tests that spoil them."""

import base64
import secrets

import pytest

from bootstrap.settings import Settings, SettingsError, load_settings

DEV = {
    "DATABASE_URL": "postgresql://app@db.internal/hair",
    "REDIS_URL": "redis://cache.internal/0",
    "SECRET_KEY": secrets.token_urlsafe(32),
    "PSEUDONYM_KEY": secrets.token_urlsafe(32),
}
"""Nothing but what has no default."""

PROD = {
    **DEV,
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


def load(**changed: str) -> Settings:
    return load_settings(DEV | changed)


def complaints(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refusal:
        load_settings(environ)
    return refusal.value.mistakes


def complaint(**changed: str) -> str:
    """The one mistake in an otherwise fine development environment."""
    (mistake,) = complaints(DEV | changed)
    return mistake


def complaint_in_prod(**changed: str) -> str:
    """The one mistake in an otherwise fine production environment."""
    (mistake,) = complaints(PROD | changed)
    return mistake
