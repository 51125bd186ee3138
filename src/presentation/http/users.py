"""The customer's own account: profile, credits, gallery, export and deletion."""

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, delete, get, patch, put
from litestar.params import FromQuery, JSONBody
from litestar.response import Stream

from application.credits.get_balance import GetBalance, GetBalanceHandler
from application.credits.list_history import ListHistory, ListHistoryHandler
from application.credits.ports import Balance, LedgerItem
from application.images.list_images import ListImages, ListImagesHandler
from application.images.list_uploads import ListUploads, ListUploadsHandler, UploadItem
from application.images.ports import GalleryFilter, ImageItem
from application.pages import DEFAULT_LIMIT, Page
from application.users.change_picture import ChangePicture, ChangePictureHandler
from application.users.delete_user import DeleteUser, DeleteUserHandler
from application.users.export_user import ExportUser, ExportUserHandler
from application.users.get_profile import GetProfile, GetProfileHandler
from application.users.ports import Profile
from application.users.remove_picture import RemovePicture, RemovePictureHandler
from application.users.update_profile import UpdateProfile, UpdateProfileHandler
from domain.views import Status
from presentation.http import archives
from presentation.http.authentication import AnyRequest, SignedIn, TokenCookies
from presentation.http.documentation import SIGNED_IN, refusals
from presentation.http.forms import LARGEST_FORM, FileUpload, uploaded_file
from presentation.http.paging import Cursor, IdFilter, Limit


class UserController(Controller):
    path = "/user"
    tags = ("user",)
    security = SIGNED_IN

    @get("/me", operation_id="getProfile", responses=refusals(401, 403, 429))
    async def profile(self, actor: SignedIn, handle: FromDishka[GetProfileHandler]) -> Profile:
        return await handle(GetProfile(), actor)

    @patch("/me", operation_id="updateProfile", responses=refusals(400, 401, 403, 415, 429))
    async def update(
        self, data: JSONBody[UpdateProfile], actor: SignedIn, handle: FromDishka[UpdateProfileHandler]
    ) -> Profile:
        return await handle(data, actor)

    @put(
        "/me/picture",
        operation_id="changePicture",
        operation_class=FileUpload,
        request_max_body_size=LARGEST_FORM,
        responses=refusals(400, 401, 403, 413, 415, 422, 429),
    )
    async def change_picture(
        self, request: AnyRequest, actor: SignedIn, handle: FromDishka[ChangePictureHandler]
    ) -> Profile:
        return await handle(ChangePicture(await uploaded_file(request)), actor)

    @delete("/me/picture", operation_id="removePicture", responses=refusals(401, 403, 429))
    async def remove_picture(self, actor: SignedIn, handle: FromDishka[RemovePictureHandler]) -> None:
        await handle(RemovePicture(), actor)

    @get(
        "/me/export",
        operation_id="exportUser",
        media_type=archives.MEDIA_TYPE,
        content_media_type=archives.MEDIA_TYPE,
        responses=refusals(401, 403, 429),
    )
    async def export(self, actor: SignedIn, handle: FromDishka[ExportUserHandler]) -> Stream:
        """Take everything along: the profile, the ledger, uploads and try-ons as JSON, and their pictures."""
        return archives.zip_download(await handle(ExportUser(), actor), "hair-tryon-export.zip")

    @delete("/me", operation_id="deleteUser", responses=refusals(400, 401, 403, 415, 429))
    async def erase(
        self,
        actor: SignedIn,
        handle: FromDishka[DeleteUserHandler],
        cookies: FromDishka[TokenCookies],
        data: JSONBody[DeleteUser | None] = None,
    ) -> Response[None]:
        """Send the password; who signed in with Google less than five minutes ago need not."""
        await handle(data or DeleteUser(), actor)
        return cookies.clear()

    @get("/credits", operation_id="getBalance", responses=refusals(401, 403, 429))
    async def balance(self, actor: SignedIn, handle: FromDishka[GetBalanceHandler]) -> Balance:
        return await handle(GetBalance(), actor)

    @get("/credits/history", operation_id="listHistory", responses=refusals(400, 401, 403, 429))
    async def history(
        self,
        actor: SignedIn,
        handle: FromDishka[ListHistoryHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[LedgerItem]:
        return await handle(ListHistory(limit, cursor), actor)

    @get("/images", operation_id="listImages", responses=refusals(400, 401, 403, 429))
    async def images(
        self,
        actor: SignedIn,
        handle: FromDishka[ListImagesHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        favourites: FromQuery[bool | None] = None,
        style_id: IdFilter = None,
        status: FromQuery[Status | None] = None,
    ) -> Page[ImageItem]:
        """All try-ons, or those that are favourites (or are not), of one style, in one status."""
        return await handle(ListImages(limit, cursor, GalleryFilter(favourites, style_id, status)), actor)

    @get("/uploads", operation_id="listUploads", responses=refusals(400, 401, 403, 429))
    async def uploads(
        self,
        actor: SignedIn,
        handle: FromDishka[ListUploadsHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[UploadItem]:
        return await handle(ListUploads(limit, cursor), actor)
