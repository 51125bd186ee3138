from dataclasses import dataclass

import structlog

from application.actor import Actor
from application.auth.ports import IdentityRepository, UserRepository
from application.events import ProfilePictureOffered
from application.images.new_files import NewFiles
from application.images.ports import BadOutput, OutputUnavailable, PictureProcessor
from application.ports import UnitOfWork
from application.users.ports import ProfilePictureDownloads
from domain.errors import Unavailable, Unprocessable
from domain.users import PROFILE_PICTURE_SIDES, new_profile_picture_key

log = structlog.get_logger()

_SHORTEST_SIDE = 1
"""Pixels. Nobody chose this picture for us, so none is too small to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyProfilePictureHandler:
    """Show the picture that a user's provider shows, in our own encoding, unless they have one already.

    Raises `Unavailable` on what may pass. A picture that cannot be had for good is done without.
    """

    users: UserRepository
    identities: IdentityRepository
    downloads: ProfilePictureDownloads
    pictures: PictureProcessor
    files: NewFiles
    uow: UnitOfWork

    async def __call__(self, event: ProfilePictureOffered, actor: Actor) -> None:
        url = await self.identities.picture_url(event.user_id)
        user = await self.users.by_id(event.user_id)
        await self.uow.commit()
        if url is None or user is None or user.profile_picture is not None:
            return
        key = await self._copy(url, event.user_id)
        if key is None:
            return
        user = await self.users.claim(event.user_id)
        if user is None or user.profile_picture is not None or user.deleted_at is not None:
            await self.files.give_up(key)
            return
        user.show_picture(key)
        await self.files.recorded(key)
        await self.uow.commit()

    async def _copy(self, url: str, user_id: int) -> str | None:
        """The key of the stored copy; None when there never will be one."""
        key = new_profile_picture_key()
        try:
            data = await self.downloads.fetch(url)
            picture = await self.pictures.square(data, side=PROFILE_PICTURE_SIDES[1], min_side=_SHORTEST_SIDE)
            await self.files.put(key, picture.data, owner=user_id)
        except (BadOutput, Unprocessable) as verdict:
            log.warning("profile_picture_dropped", user_id=user_id, reason=str(verdict))
            return None
        except OutputUnavailable as failure:
            raise Unavailable("provider_unavailable", f"The profile picture cannot be fetched: {failure}") from failure
        return key
