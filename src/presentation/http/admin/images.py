"""Customers' try-ons, as operators' command `image` has them."""

from dishka.integrations.litestar import FromDishka
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody

from application.images.cancel_any_image import CancelAnyImage, CancelAnyImageHandler
from application.images.fail_image import FailImage, FailImageHandler
from application.images.image_records import ImageDetails, ImageEntry
from application.images.list_all_images import ListAllImages, ListAllImagesHandler
from application.images.retry_any_image import RetryAnyImage, RetryAnyImageHandler
from application.images.show_image import ShowImage, ShowImageHandler
from application.pages import DEFAULT_LIMIT, Page
from domain.views import Status
from presentation.http.admin.bodies import Justification, ViewFailure
from presentation.http.admin.gate import AdminController
from presentation.http.authentication import SignedIn
from presentation.http.documentation import refusals
from presentation.http.paging import Cursor, IdFilter, Limit

_CONFLICTS = refusals(400, 401, 403, 404, 409, 415, 429)


class AdminImageController(AdminController):
    path = "/admin/images"

    @get(operation_id="listAllImages", responses=refusals(400, 401, 403, 404, 429))
    async def list_images(
        self,
        actor: SignedIn,
        handle: FromDishka[ListAllImagesHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        user_id: IdFilter = None,
        style_id: IdFilter = None,
        status: FromQuery[Status | None] = None,
        deleted: FromQuery[bool] = False,
    ) -> Page[ImageEntry]:
        """Everybody's try-ons, or those of one customer, of one style, in one status; newest first."""
        user = None if user_id is None else str(user_id)
        return await handle(ListAllImages(limit, cursor, user, style_id, status, deleted), actor)

    @get("/{image_id:int}", operation_id="showImage", responses=refusals(400, 401, 403, 404, 429))
    async def show(
        self, image_id: FromPath[int], actor: SignedIn, handle: FromDishka[ShowImageHandler]
    ) -> ImageDetails:
        """How it stands and how it came there: attempts, holds, predictions, deadlines, its log."""
        return await handle(ShowImage(image_id), actor)

    @post(
        "/{image_id:int}/retry",
        status_code=200,
        operation_id="retryAnyImage",
        responses=refusals(400, 401, 402, 403, 404, 409, 415, 429),
    )
    async def retry(
        self,
        image_id: FromPath[int],
        data: JSONBody[Justification],
        actor: SignedIn,
        handle: FromDishka[RetryAnyImageHandler],
    ) -> ImageDetails:
        """Render the failed views again, at the customer's price."""
        return await handle(RetryAnyImage(image_id, data.reason), actor)

    @post("/{image_id:int}/cancel", status_code=200, operation_id="cancelAnyImage", responses=_CONFLICTS)
    async def cancel(
        self,
        image_id: FromPath[int],
        data: JSONBody[Justification],
        actor: SignedIn,
        handle: FromDishka[CancelAnyImageHandler],
    ) -> ImageDetails:
        """Stop what is in progress and give its credits back, however often that was done today."""
        return await handle(CancelAnyImage(image_id, data.reason), actor)

    @post("/{image_id:int}/fail", status_code=200, operation_id="failImage", responses=_CONFLICTS)
    async def fail(
        self,
        image_id: FromPath[int],
        data: JSONBody[ViewFailure],
        actor: SignedIn,
        handle: FromDishka[FailImageHandler],
    ) -> ImageDetails:
        """End what is in progress, or one view of it, as failed, and give its credits back."""
        return await handle(FailImage(image_id, data.reason, data.view, data.error), actor)
