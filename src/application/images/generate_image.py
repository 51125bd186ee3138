import secrets
from dataclasses import dataclass

from application.actor import Actor
from application.images.acceptances import Acceptances, ImageAccepted
from application.images.wanted_try_on import GenerateImage, TryOnRequests, WantedTryOn
from application.ports import IdempotentRequest
from domain.images import GeneratedImage
from domain.uploads import upload_key_in
from domain.views import RenderPolicy, wanted_views


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateImageHandler:
    """Accept a try-on: reserve its price and queue what can be rendered at once, in one transaction.

    Views that are reused are there with the same transaction, and cost nothing. That transaction is one statement, the
    last act; what it is made of was read before, and is read again when it has gone meanwhile.
    """

    requests: TryOnRequests
    acceptances: Acceptances
    policy: RenderPolicy

    async def __call__(self, command: GenerateImage, actor: Actor, key: str | None = None) -> ImageAccepted:
        owner = actor.require_user()
        request = IdempotentRequest.of(
            owner,
            "generate",
            key,
            command.style_id,
            upload_key_in(command.image_input_url),
            wanted_views(command.views),
            command.reuse,
        )
        accepted = await self.acceptances.replay(request)
        while accepted is None:
            wanted = await self.requests.check(command, owner=owner)
            image = self._try_on(wanted, owner)
            to_render = [view for view in image.views if view.open]
            accepted = await self.acceptances.accept(
                image,
                held=to_render,
                announced=image.startable(to_render),
                lender=wanted.loan.lender if wanted.loan else None,
                request=request,
            )
        return accepted

    def _try_on(self, wanted: WantedTryOn, owner: int) -> GeneratedImage:
        image = GeneratedImage.request(
            owner=owner,
            style=wanted.style,
            upload_id=wanted.photo_id,
            views=wanted.views,
            folder=secrets.token_urlsafe(24),
            now=wanted.asked_at,
            policy=self.policy,
        )
        image.borrow(wanted.lent, wanted.asked_at)
        return image
