from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.images.image_records import ImageDetails, ImageRecords, read_image


class ShowImage(Struct, frozen=True):
    image_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowImageHandler:
    """Show an operator how a try-on stands and how it came there: attempts, holds, predictions, deadlines, its log."""

    records: ImageRecords

    async def __call__(self, query: ShowImage, actor: Actor) -> ImageDetails:
        actor.require_operator()
        return await read_image(self.records, query.image_id)
