"""Accounts and their credits, as operators' commands `user` and `credits` have them."""

from typing import Annotated

from dishka.integrations.litestar import FromDishka
from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream

from application.credits.audit_ledger import AuditLedger, AuditLedgerHandler
from application.credits.grant_credits import GrantCredits, GrantCreditsHandler
from application.credits.ports import Balance, LedgerAudit, OperatorLedgerItem
from application.credits.revoke_credits import RevokeCredits, RevokeCreditsHandler
from application.credits.show_history import ShowHistory, ShowHistoryHandler
from application.pages import DEFAULT_LIMIT, Page
from application.users.change_role import ChangeRole, ChangeRoleHandler
from application.users.create_user import CreateUser, CreateUserHandler
from application.users.disable_user import DisableUser, DisableUserHandler
from application.users.enable_user import EnableUser, EnableUserHandler
from application.users.erase_user import EraseUser, EraseUserHandler
from application.users.export_named_user import ExportNamedUser, ExportNamedUserHandler
from application.users.list_users import ListUsers, ListUsersHandler
from application.users.ports import UserDetails, UserEntry, UserFilter
from application.users.show_user import ShowUser, ShowUserHandler
from application.users.verify_user import VerifyUser, VerifyUserHandler
from domain.users import Role
from presentation.http import archives
from presentation.http.admin.bodies import CreditAdjustment, Justification, RoleChange
from presentation.http.admin.gate import AdminController
from presentation.http.authentication import SignedIn
from presentation.http.documentation import refusals
from presentation.http.paging import Cursor, Limit

Search = Annotated[str | None, QueryParameter(max_length=200)]

_REFUSALS = refusals(400, 401, 403, 404, 415, 429)
_CONFLICTS = refusals(400, 401, 403, 404, 409, 415, 429)


class AdminUserController(AdminController):
    path = "/admin/users"

    @get(operation_id="listUsers", responses=refusals(400, 401, 403, 429))
    async def list_users(
        self,
        actor: SignedIn,
        handle: FromDishka[ListUsersHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        search: Search = None,
        role: FromQuery[Role | None] = None,
        verified: FromQuery[bool | None] = None,
        disabled: FromQuery[bool | None] = None,
        erased: FromQuery[bool] = False,
    ) -> Page[UserEntry]:
        """All accounts, or those with this in the address or the name, of this role, and so on; newest first."""
        return await handle(ListUsers(limit, cursor, UserFilter(search, role, verified, disabled, erased)), actor)

    @post(operation_id="createUser", responses=refusals(400, 401, 403, 409, 415, 429))
    async def create(
        self, data: JSONBody[CreateUser], actor: SignedIn, handle: FromDishka[CreateUserHandler]
    ) -> UserDetails:
        """Make an account whose address needs no proof. It gets no free credits."""
        return await handle(data, actor)

    @post("/verify", status_code=200, operation_id="verifyUser", responses=_CONFLICTS)
    async def verify(
        self, data: JSONBody[VerifyUser], actor: SignedIn, handle: FromDishka[VerifyUserHandler]
    ) -> UserDetails:
        """Turn a sign-up whose mail did not arrive into an account, as its link would."""
        return await handle(data, actor)

    @get("/{user_id:int}", operation_id="showUser", responses=refusals(400, 401, 403, 404, 429))
    async def show(self, user_id: FromPath[int], actor: SignedIn, handle: FromDishka[ShowUserHandler]) -> UserDetails:
        return await handle(ShowUser(str(user_id)), actor)

    @post("/{user_id:int}/disable", status_code=200, operation_id="disableUser", responses=_CONFLICTS)
    async def disable(
        self,
        user_id: FromPath[int],
        data: JSONBody[Justification],
        actor: SignedIn,
        handle: FromDishka[DisableUserHandler],
    ) -> UserDetails:
        """Shut an account: its sessions end at once, and nothing opens it until it is enabled."""
        return await handle(DisableUser(str(user_id), data.reason), actor)

    @post("/{user_id:int}/enable", status_code=200, operation_id="enableUser", responses=_CONFLICTS)
    async def enable(
        self,
        user_id: FromPath[int],
        data: JSONBody[Justification],
        actor: SignedIn,
        handle: FromDishka[EnableUserHandler],
    ) -> UserDetails:
        return await handle(EnableUser(str(user_id), data.reason), actor)

    @put("/{user_id:int}/role", operation_id="changeRole", responses=_CONFLICTS)
    async def change_role(
        self,
        user_id: FromPath[int],
        data: JSONBody[RoleChange],
        actor: SignedIn,
        handle: FromDishka[ChangeRoleHandler],
    ) -> UserDetails:
        return await handle(ChangeRole(str(user_id), data.role, data.reason), actor)

    @post(
        "/{user_id:int}/export",
        status_code=200,
        operation_id="exportNamedUser",
        media_type=archives.MEDIA_TYPE,
        content_media_type=archives.MEDIA_TYPE,
        responses=_REFUSALS,
    )
    async def export(
        self,
        user_id: FromPath[int],
        data: JSONBody[Justification],
        actor: SignedIn,
        handle: FromDishka[ExportNamedUserHandler],
    ) -> Stream:
        """Take out everything that is kept about somebody, for them."""
        files = await handle(ExportNamedUser(str(user_id), data.reason), actor)
        return archives.zip_download(files, f"hair-tryon-{user_id}.zip")

    @delete("/{user_id:int}", operation_id="eraseUser", responses=_REFUSALS)
    async def erase(
        self,
        user_id: FromPath[int],
        data: JSONBody[Justification],
        actor: SignedIn,
        handle: FromDishka[EraseUserHandler],
    ) -> None:
        """Erase an account for good; the ledger stays under a pseudonym, and so does the reason."""
        await handle(EraseUser(str(user_id), data.reason), actor)

    @post("/{user_id:int}/credits/grant", status_code=200, operation_id="grantCredits", responses=_REFUSALS)
    async def grant(
        self,
        user_id: FromPath[int],
        data: JSONBody[CreditAdjustment],
        actor: SignedIn,
        handle: FromDishka[GrantCreditsHandler],
    ) -> Balance:
        return await handle(GrantCredits(str(user_id), data.amount, data.reason), actor)

    @post("/{user_id:int}/credits/revoke", status_code=200, operation_id="revokeCredits", responses=_CONFLICTS)
    async def revoke(
        self,
        user_id: FromPath[int],
        data: JSONBody[CreditAdjustment],
        actor: SignedIn,
        handle: FromDishka[RevokeCreditsHandler],
    ) -> Balance:
        """Take credits back, such as are available."""
        return await handle(RevokeCredits(str(user_id), data.amount, data.reason), actor)

    @get(
        "/{user_id:int}/credits/history",
        operation_id="listHistoryOfUser",
        responses=refusals(400, 401, 403, 404, 429),
    )
    async def history(
        self,
        user_id: FromPath[int],
        actor: SignedIn,
        handle: FromDishka[ShowHistoryHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[OperatorLedgerItem]:
        return await handle(ShowHistory(str(user_id), limit, cursor), actor)


class AdminLedgerController(AdminController):
    path = "/admin/credits"

    @get("/audit", operation_id="auditLedger", responses=refusals(401, 403, 429))
    async def audit(self, actor: SignedIn, handle: FromDishka[AuditLedgerHandler]) -> LedgerAudit:
        """Add up every account from its entries and holds, and compare with the sums that are kept."""
        return await handle(AuditLedger(), actor)
