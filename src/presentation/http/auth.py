"""Registering, signing in and out, and passwords."""

from typing import Annotated

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Request, Response, get, post
from litestar.di import Provide
from litestar.params import JSONBody, QueryParameter

from application.auth.change_password import ChangePassword, ChangePasswordHandler
from application.auth.forgot_password import ForgotPassword, ForgotPasswordHandler
from application.auth.log_in import LogIn, LogInHandler
from application.auth.log_out import LogOut, LogOutHandler
from application.auth.refresh_session import RefreshSession, RefreshSessionHandler
from application.auth.register import Register, RegisterHandler
from application.auth.resend_verification import ResendVerification, ResendVerificationHandler
from application.auth.reset_password import ResetPassword, ResetPasswordHandler
from application.auth.tokens import Accepted, TokenPair
from application.auth.verify_email import VerifyEmail, VerifyEmailHandler
from domain.errors import Unauthenticated
from presentation.http.authentication import (
    REFRESH_COOKIE,
    AnyRequest,
    Caller,
    SignedIn,
    TokenCookies,
    Visitor,
    provide_caller,
    provide_visitor,
    require_origin,
)
from presentation.http.documentation import SIGNED_IN, refusals

MailedToken = Annotated[str, QueryParameter(name="token", min_length=1, max_length=512)]


class AuthController(Controller):
    path = "/auth"
    tags = ("auth",)
    dependencies = {"visitor": Provide(provide_visitor), "caller": Provide(provide_caller)}  # noqa: RUF012 - Litestar's shape

    @post("/register", status_code=202, operation_id="register", responses=refusals(400, 429))
    async def register(
        self, data: JSONBody[Register], visitor: Visitor, handle: FromDishka[RegisterHandler]
    ) -> Accepted:
        return await handle(data, visitor)

    @get("/verify", operation_id="verifyEmailByLink", responses=refusals(400, 429))
    async def verify_by_link(
        self, mailed_token: MailedToken, visitor: Visitor, handle: FromDishka[VerifyEmailHandler]
    ) -> Response[TokenPair]:
        """Use the mailed link itself. No cookies are set: whoever follows a link has not asked to be signed in here."""
        pair = await handle(VerifyEmail(mailed_token), visitor)
        return Response(pair, headers={"Cache-Control": "no-store"})

    @post("/verify", status_code=200, operation_id="verifyEmail", responses=refusals(400, 429))
    async def verify(
        self,
        data: JSONBody[VerifyEmail],
        visitor: Visitor,
        handle: FromDishka[VerifyEmailHandler],
        cookies: FromDishka[TokenCookies],
    ) -> Response[TokenPair]:
        return cookies.set(await handle(data, visitor))

    @post("/resend-verification", status_code=202, operation_id="resendVerification", responses=refusals(400, 429))
    async def resend_verification(
        self, data: JSONBody[ResendVerification], visitor: Visitor, handle: FromDishka[ResendVerificationHandler]
    ) -> Accepted:
        return await handle(data, visitor)

    @post("/login", status_code=200, operation_id="logIn", responses=refusals(400, 401, 403, 429))
    async def log_in(
        self,
        data: JSONBody[LogIn],
        visitor: Visitor,
        handle: FromDishka[LogInHandler],
        cookies: FromDishka[TokenCookies],
    ) -> Response[TokenPair]:
        return cookies.set(await handle(data, visitor))

    @post("/refresh", status_code=200, operation_id="refresh", responses=refusals(400, 401, 403, 429))
    async def refresh(
        self,
        request: AnyRequest,
        visitor: Visitor,
        handle: FromDishka[RefreshSessionHandler],
        cookies: FromDishka[TokenCookies],
        data: JSONBody[RefreshSession | None] = None,
    ) -> Response[TokenPair]:
        """Send the refresh token in the body or in its cookie; the body wins."""
        return cookies.set(await handle(data or RefreshSession(_cookie_token(request)), visitor))

    @post("/logout", status_code=204, operation_id="logOut", security=SIGNED_IN, responses=refusals(400, 401, 403, 429))
    async def log_out(
        self,
        request: AnyRequest,
        caller: Caller,
        handle: FromDishka[LogOutHandler],
        cookies: FromDishka[TokenCookies],
        data: JSONBody[LogOut | None] = None,
    ) -> Response[None]:
        """An access token, a refresh token, or both; what is in the body wins over its cookie."""
        token = data.refresh_token if data else None
        if token is None and REFRESH_COOKIE in request.cookies:
            token = request.cookies[REFRESH_COOKIE] if caller.user_id is not None else _cookie_token(request)
        await handle(LogOut(token), caller)
        return cookies.clear()

    @post("/forgot-password", status_code=202, operation_id="forgotPassword", responses=refusals(400, 429))
    async def forgot_password(
        self, data: JSONBody[ForgotPassword], visitor: Visitor, handle: FromDishka[ForgotPasswordHandler]
    ) -> Accepted:
        return await handle(data, visitor)

    @post("/reset-password", status_code=204, operation_id="resetPassword", responses=refusals(400, 429))
    async def reset_password(
        self, data: JSONBody[ResetPassword], visitor: Visitor, handle: FromDishka[ResetPasswordHandler]
    ) -> None:
        await handle(data, visitor)

    @post(
        "/change-password",
        status_code=204,
        operation_id="changePassword",
        security=SIGNED_IN,
        responses=refusals(400, 401, 403, 429),
    )
    async def change_password(
        self, data: JSONBody[ChangePassword], actor: SignedIn, handle: FromDishka[ChangePasswordHandler]
    ) -> None:
        await handle(data, actor)


def _cookie_token(request: Request) -> str:  # type: ignore[type-arg]
    token = request.cookies.get(REFRESH_COOKIE)
    if token is None:
        raise Unauthenticated("not_authenticated", "Send a refresh token.")
    require_origin(request)
    return token
