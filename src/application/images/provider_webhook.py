import hmac
from dataclasses import dataclass
from hashlib import sha256

from domain.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class ProviderWebhook:
    """Where the provider reports; no address when it cannot reach us, and the poller looks instead.

    The provider signs what it sends, not the address it sends it to. So the address carries a proof of ours, or news
    of one prediction could be sent again as news of another customer's view.
    """

    url: str | None
    keys: tuple[str, ...] = ("",)
    """The first makes proofs, all of them check, so that a key can be replaced while predictions are under way."""

    def address(self, view_id: int, attempt: int) -> str | None:
        """What to tell the provider when a view's attempt is created."""
        if self.url is None:
            return None
        return f"{self.url}?view_id={view_id}&attempt={attempt}&proof={_proof(self.keys[0], view_id, attempt)}"

    def require(self, view_id: int, attempt: int, proof: str) -> None:
        """Raise `Unauthenticated` unless an address of ours said so."""
        known = (_proof(key, view_id, attempt).encode() for key in self.keys)
        if not any(hmac.compare_digest(ours, proof.encode()) for ours in known):
            raise Unauthenticated("webhook_signature_invalid", "This is not an address that we gave the provider.")


def _proof(key: str, view_id: int, attempt: int) -> str:
    return hmac.new(key.encode(), f"provider webhook:{view_id}:{attempt}".encode(), sha256).hexdigest()[:32]
