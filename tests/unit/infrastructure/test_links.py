import pytest

from infrastructure.links import ConfiguredLinks


@pytest.mark.parametrize("slash", ["", "/"])
def test_links_lead_to_the_frontend(slash: str) -> None:
    links = ConfiguredLinks(public_url="https://api.example.com", frontend_url=f"https://example.com{slash}")
    assert links.verification("t0k-en_") == "https://example.com/verify?token=t0k-en_"
    assert links.sign_in() == "https://example.com"


@pytest.mark.parametrize("slash", ["", "/"])
def test_without_a_frontend_they_lead_to_the_api_itself(slash: str) -> None:
    """Where a GET verifies too."""
    links = ConfiguredLinks(public_url=f"https://api.example.com{slash}", frontend_url="")
    assert links.verification("t0k-en_") == "https://api.example.com/api/v1/auth/verify?token=t0k-en_"
    assert links.sign_in() == "https://api.example.com"
