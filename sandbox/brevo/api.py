"""`POST /smtp/email` as Brevo answers it, and the outbox."""

import secrets
import uuid
from typing import Any

import msgspec
from litestar import Controller, Request, Response, Router, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery

from sandbox.brevo.mails import Mailbox, Message, make_message_id
from sandbox.brevo.outbox import outbox_page
from sandbox.config import SandboxConfig
from sandbox.control import control_router
from sandbox.wire import OPERATION, Wire, wire_middleware

CODES = {
    400: "invalid_parameter",
    401: "unauthorized",
    402: "not_enough_credits",
    403: "permission_denied",
    404: "document_not_found",
    429: "too_many_requests",
}
PARAMS_LIMIT = 100_000


def error_body(status: int) -> dict[str, str]:
    return {"code": CODES.get(status, "internal_error"), "message": f"Scripted answer {status} of the sandbox"}


class RefusedError(Exception):
    """The answer is an error: its status, code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def check_key(request: Request[Any, Any, Any], key: str | None) -> None:
    given = request.headers.get("api-key")
    if key is None:
        return
    if given is None:
        raise RefusedError(401, "unauthorized", "authentication not found in headers")
    if not secrets.compare_digest(given.encode(), key.encode()):
        raise RefusedError(401, "unauthorized", "Key not found")


def read_message(body: bytes) -> Message:
    """Decode and check a message; RefusedError tells the first thing wrong with it."""
    try:
        message = msgspec.json.decode(body, type=Message)
    except msgspec.ValidationError as error:
        raise RefusedError(400, "invalid_parameter", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(400, "bad_request", "Input must be a valid JSON object") from error
    needed = {"to": bool(message.to)}
    if message.template_id is None:
        sender = message.sender
        needed["sender"] = sender is not None and (sender.email is not None or sender.id is not None)
        needed |= {"subject": bool(message.subject), "htmlContent": bool(message.html_content)}
    for name, given in needed.items():
        if not given:
            raise RefusedError(400, "missing_parameter", f"{name} is missing")
    if len(msgspec.json.encode(message.params)) > PARAMS_LIMIT:
        raise RefusedError(400, "out_of_range", "params is larger than 100 kB")
    check_idempotency_key(message)
    return message


def check_idempotency_key(message: Message) -> None:
    try:
        uuid.UUID(message.header("idempotencyKey") or str(uuid.UUID(int=0)))
    except ValueError as error:
        raise RefusedError(400, "invalid_parameter", "idempotencyKey is not a UUID") from error


class MailController(Controller):
    path = "/v3/smtp"

    @post("/email", opt={OPERATION: "send"})
    async def send(
        self, request: Request[Any, Any, Any], box: NamedDependency[Mailbox], config: NamedDependency[SandboxConfig]
    ) -> Response[Any]:
        check_key(request, config.brevo_api_key)
        message = read_message(await request.body())
        message_id = make_message_id()
        if message.header("X-Sib-Sandbox") != "drop":
            key = message.header("idempotencyKey")
            if key is not None and not box.claim(key):
                raise RefusedError(400, "duplicate_parameter", "idempotencyKey was used already")
            box.keep(message, message_id)
        return Response({"messageId": message_id}, status_code=201)


class OutboxController(Controller):
    path = "/"

    @get("/mails")
    async def mails(self, box: NamedDependency[Mailbox], to: FromQuery[str | None] = None) -> dict[str, Any]:
        return {"mails": box.newest_first(to)}

    @delete("/mails")
    async def empty(self, box: NamedDependency[Mailbox]) -> None:
        box.empty()

    @get("/")
    async def page(self, box: NamedDependency[Mailbox], to: FromQuery[str | None] = None) -> Response[str]:
        return outbox_page(box.newest_first(to))


def refusal(_request: Request[Any, Any, Any], error: RefusedError) -> Response[Any]:
    return Response({"code": error.code, "message": str(error)}, status_code=error.status)


def brevo_router(config: SandboxConfig) -> Router:
    """One Brevo account and its outbox."""
    wire = Wire(frozenset({"send"}), error_body)
    box = Mailbox()
    return Router(
        "/brevo",
        route_handlers=[MailController, OutboxController, control_router(wire)],
        dependencies={
            "box": Provide(lambda: box, sync_to_thread=False),
            "config": Provide(lambda: config, sync_to_thread=False),
        },
        middleware=[wire_middleware(wire)],
        exception_handlers={RefusedError: refusal},
    )
