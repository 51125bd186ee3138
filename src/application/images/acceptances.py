"""Where try-ons are accepted."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from application.ports import IdempotentRequest
from domain.images import GeneratedImage
from domain.renders import ViewRender


class ImageAccepted(Struct, frozen=True):
    image_id: int
    credits_held: int
    message: str = "Accepted: the pictures are on their way."


class Acceptances(Protocol):
    async def replay(self, request: IdempotentRequest | None) -> ImageAccepted | None:
        """The kept answer of this very request, or None when it is new. Raises as `IdempotencyKeys.replay` does."""
        ...

    async def accept(
        self,
        image: GeneratedImage,
        *,
        held: Sequence[ViewRender],
        announced: Sequence[ViewRender],
        lender: int | None,
        request: IdempotentRequest | None,
    ) -> ImageAccepted | None:
        """Accept a new try-on, in one transaction, and give it and its views their ids.

        It is added with its log, the price of each view of `held` is reserved, those of `announced` are announced to
        the workers, and the answer is kept under the request's key. Raises `InsufficientCredits`, and nothing has
        happened. None, and nothing has happened either, when the photo or the lender has gone since somebody looked.
        A request that was answered meanwhile is answered as it was.
        """
        ...
