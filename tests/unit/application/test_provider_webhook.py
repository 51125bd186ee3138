import secrets
from urllib.parse import parse_qs, urlsplit

import pytest

from application.images.provider_webhook import ProviderWebhook
from domain.errors import Unauthenticated

URL = "https://api.example.com/api/v1/image/webhook"
KEY, OLD_KEY = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
WEBHOOK = ProviderWebhook(URL, (KEY,))


def proof_in(webhook: ProviderWebhook, view_id: int = 31, attempt: int = 2) -> str:
    address = webhook.address(view_id, attempt)
    assert address is not None
    assert address.startswith(f"{URL}?")
    query = parse_qs(urlsplit(address).query)
    assert (query["view_id"], query["attempt"]) == ([str(view_id)], [str(attempt)])
    (proof,) = query["proof"]
    return proof


def test_an_address_of_ours_is_known_again() -> None:
    WEBHOOK.require(31, 2, proof_in(WEBHOOK))


@pytest.mark.parametrize(("view_id", "attempt"), [(32, 2), (31, 3), (3, 12), (312, 2)])
def test_news_of_one_attempt_is_no_news_of_another(view_id: int, attempt: int) -> None:
    """However the provider's own signature reads: it does not cover the address."""
    with pytest.raises(Unauthenticated) as refusal:
        WEBHOOK.require(view_id, attempt, proof_in(WEBHOOK))
    assert refusal.value.code == "webhook_signature_invalid"


@pytest.mark.parametrize("proof", ["", "0" * 32, "é", "\ud7ff", "x" * 5000])
def test_a_made_up_proof_proves_nothing(proof: str) -> None:
    with pytest.raises(Unauthenticated):
        WEBHOOK.require(31, 2, proof)


def test_predictions_under_way_outlive_a_change_of_keys() -> None:
    """What was told under the old key still counts; what is told now needs the new one."""
    rotated = ProviderWebhook(URL, (KEY, OLD_KEY))
    rotated.require(31, 2, proof_in(ProviderWebhook(URL, (OLD_KEY,))))
    with pytest.raises(Unauthenticated):
        ProviderWebhook(URL, (OLD_KEY,)).require(31, 2, proof_in(rotated))


def test_a_provider_that_cannot_reach_us_is_told_no_address() -> None:
    assert ProviderWebhook(None, (KEY,)).address(31, 2) is None
