"""The try-on that somebody names. To a customer, another's, a deleted one and one that never was are absent alike."""

from application.images.ports import ImageReader, ImageRepository, ImageStatus
from domain.errors import NotFound
from domain.identifiers import can_be_id
from domain.images import GeneratedImage


async def claim_image(images: ImageRepository, image_id: int, *, owner: int) -> GeneratedImage:
    """The customer's own try-on, kept to this transaction until it ends, or `NotFound` (`image_not_found`)."""
    image = await images.own(image_id, owner=owner) if can_be_id(image_id) else None
    if image is None:
        raise image_not_found()
    return image


async def claim_any_image(images: ImageRepository, image_id: int) -> GeneratedImage:
    """As `claim_image`, for an operator: anybody's, unless it is deleted."""
    image = await images.by_id(image_id) if can_be_id(image_id) else None
    if image is None or image.deleted_at is not None:
        raise image_not_found()
    return image


async def read_status(images: ImageReader, image_id: int, *, owner: int) -> ImageStatus:
    """How the customer's own try-on stands, or `NotFound` (`image_not_found`)."""
    status = await images.status(image_id, owner=owner) if can_be_id(image_id) else None
    if status is None:
        raise image_not_found()
    return status


def image_not_found() -> NotFound:
    return NotFound("image_not_found", "There is no such image.")
