"""The customer's own account: profile, credits, gallery."""

from typing import Annotated

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get
from litestar.params import QueryParameter

from application.credits.get_balance import GetBalance, GetBalanceHandler
from application.credits.list_history import ListHistory, ListHistoryHandler
from application.credits.ports import Balance, LedgerItem
from application.images.list_images import ListImages, ListImagesHandler
from application.images.ports import ImageItem
from application.pages import DEFAULT_LIMIT, LARGEST_LIMIT, Page
from application.users.get_profile import GetProfile, GetProfileHandler
from application.users.ports import Profile
from presentation.http.authentication import SignedIn
from presentation.http.documentation import SIGNED_IN, refusals

Limit = Annotated[int, QueryParameter(ge=1, le=LARGEST_LIMIT)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]


class UserController(Controller):
    path = "/user"
    tags = ("user",)
    security = SIGNED_IN

    @get("/me", operation_id="getProfile", responses=refusals(401, 403, 429))
    async def profile(self, actor: SignedIn, handle: FromDishka[GetProfileHandler]) -> Profile:
        return await handle(GetProfile(), actor)

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
    ) -> Page[ImageItem]:
        return await handle(ListImages(limit, cursor), actor)
