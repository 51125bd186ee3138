"""What a use case that others call needs: the proof of who called."""

from collections.abc import Mapping
from typing import Protocol


class WebhookVerifier(Protocol):
    def verify(self, body: bytes, headers: Mapping[str, str]) -> str:
        """The message's id, the same in every repetition of it.

        Takes the body as it came over the wire. Raises `Unauthenticated` (`webhook_signature_invalid`), and nothing
        else, unless a holder of one of our secrets signed it within the last minutes.
        """
        ...
