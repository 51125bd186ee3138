"""The catalogue, as operators' command `style` has it."""

from dishka.integrations.litestar import FromDishka
from litestar import get, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from application.pages import DEFAULT_LIMIT, Page
from application.styles.add_style import AddStyle, AddStyleHandler
from application.styles.edit_style import EditStyle, EditStyleHandler
from application.styles.list_all_styles import ListAllStyles, ListAllStylesHandler
from application.styles.ports import StyleDetails, StyleEntry, StyleFilter
from application.styles.show_style import ShowStyle, ShowStyleHandler
from application.styles.switch_style import SwitchStyle, SwitchStyleHandler
from domain.styles import Category
from presentation.http.admin.gate import AdminController
from presentation.http.authentication import AnyRequest, SignedIn
from presentation.http.documentation import refusals
from presentation.http.forms import LARGEST_FORM, FileUpload, uploaded_file
from presentation.http.paging import Cursor, Limit

_CONFLICTS = refusals(400, 401, 403, 404, 409, 415, 429)


class AdminStyleController(AdminController):
    path = "/admin/styles"

    @get(operation_id="listAllStyles", responses=refusals(400, 401, 403, 429))
    async def list_styles(
        self,
        actor: SignedIn,
        handle: FromDishka[ListAllStylesHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        category: FromQuery[Category | None] = None,
        active: FromQuery[bool | None] = None,
    ) -> Page[StyleEntry]:
        """The catalogue in its order, also what customers do not see of it."""
        return await handle(ListAllStyles(limit, cursor, StyleFilter(category, active)), actor)

    @post(operation_id="addStyle", responses=refusals(400, 401, 403, 409, 415, 429))
    async def add(self, data: JSONBody[AddStyle], actor: SignedIn, handle: FromDishka[AddStyleHandler]) -> StyleDetails:
        """Customers see it when it has a thumbnail and is activated."""
        return await handle(data, actor)

    @get("/{style_id:int}", operation_id="showStyle", responses=refusals(400, 401, 403, 404, 429))
    async def show(
        self, style_id: FromPath[int], actor: SignedIn, handle: FromDishka[ShowStyleHandler]
    ) -> StyleDetails:
        """A style with every version of its prompts, the newest first."""
        return await handle(ShowStyle(str(style_id)), actor)

    @patch("/{style_id:int}", operation_id="editStyle", responses=refusals(400, 401, 403, 404, 415, 429))
    async def edit(
        self,
        style_id: FromPath[int],
        data: JSONBody[EditStyle],
        actor: SignedIn,
        handle: FromDishka[EditStyleHandler],
    ) -> StyleDetails:
        """What is not named stays. Other words in a prompt make a new version; try-ons keep theirs."""
        return await handle(data, actor, style=str(style_id))

    @put(
        "/{style_id:int}/thumbnail",
        operation_id="changeThumbnail",
        operation_class=FileUpload,
        request_max_body_size=LARGEST_FORM,
        responses=refusals(400, 401, 403, 404, 413, 415, 422, 429),
    )
    async def change_thumbnail(
        self,
        request: AnyRequest,
        style_id: FromPath[int],
        actor: SignedIn,
        handle: FromDishka[EditStyleHandler],
    ) -> StyleDetails:
        """The centre square of the picture is shown."""
        return await handle(EditStyle(), actor, style=str(style_id), thumbnail=await uploaded_file(request))

    @post("/{style_id:int}/activate", status_code=200, operation_id="activateStyle", responses=_CONFLICTS)
    async def activate(
        self, style_id: FromPath[int], actor: SignedIn, handle: FromDishka[SwitchStyleHandler]
    ) -> StyleDetails:
        return await handle(SwitchStyle(str(style_id), is_active=True), actor)

    @post("/{style_id:int}/deactivate", status_code=200, operation_id="deactivateStyle", responses=_CONFLICTS)
    async def deactivate(
        self, style_id: FromPath[int], actor: SignedIn, handle: FromDishka[SwitchStyleHandler]
    ) -> StyleDetails:
        """Nobody can pick it any more. What was accepted with it is still rendered."""
        return await handle(SwitchStyle(str(style_id), is_active=False), actor)
