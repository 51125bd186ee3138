"""What every exception becomes on the wire. A client's mistake is never a 500, and a 500 tells nothing."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from domain.errors import Failure
from presentation.http.problems import (
    MEDIA_TYPE,
    FieldProblem,
    Problem,
    headers_of,
    problem_of,
    problem_of_failure,
    problem_of_fault,
    request_id_of,
)

log = structlog.get_logger()

AnyRequest = Request[Any, Any, Any]

_CODES = {
    HTTPStatus.BAD_REQUEST: "validation_failed",
    HTTPStatus.UNAUTHORIZED: "not_authenticated",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "not_found",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "payload_too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limited",
}
"""For refusals that the framework makes before a handler is reached."""

_GONE = "client disconnected"
"""What Litestar says of a body that breaks off. Nobody is there to read the answer; the log shall not call it ours."""

_DETAILS = {
    HTTPStatus.BAD_REQUEST: "The request is not valid.",
    HTTPStatus.NOT_FOUND: "There is nothing here.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not answer this method.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is larger than allowed.",
}


def failed(request: AnyRequest, failure: Failure) -> Response[Problem]:
    problem = problem_of_failure(failure, request_id_of(request.scope))
    return _answer(problem, headers_of(failure))


def invalid(request: AnyRequest, exception: ValidationException) -> Response[Problem]:
    extra = exception.extra if isinstance(exception.extra, list) else []
    errors = [_field_problem(item) for item in extra if isinstance(item, Mapping)]
    detail = "; ".join(f"{error.field}: {error.message}" if error.field else error.message for error in errors)
    return _answer(
        problem_of(
            400, "validation_failed", detail or "The request is not valid.", request_id_of(request.scope), errors
        )
    )


def refused_by_framework(request: AnyRequest, exception: HTTPException) -> Response[Problem]:
    if exception.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        if exception.detail.startswith(_GONE):
            return _answer(problem_of(400, "validation_failed", exception.detail, request_id_of(request.scope)))
        return unexpected(request, exception)
    status = HTTPStatus(exception.status_code)
    headers = {name: value for name, value in (exception.headers or {}).items() if name.lower() == "allow"}
    problem = problem_of(
        status,
        _CODES.get(status, "validation_failed"),
        _DETAILS.get(status, status.description or status.phrase),
        request_id_of(request.scope),
    )
    return _answer(problem, headers)


def undecodable(request: AnyRequest, exception: Exception) -> Response[Problem]:
    """Answer for bodies on which the JSON decoder gives up: bytes that are no UTF-8, nesting without end."""
    if request.method in {"GET", "HEAD", "DELETE"}:
        return unexpected(request, exception)
    return _answer(problem_of(400, "malformed_json", "The body is not valid JSON.", request_id_of(request.scope)))


def unexpected(request: AnyRequest, exception: Exception) -> Response[Problem]:
    log.error("internal_error", exc_info=exception, route=request.scope.get("path_template"))
    return _answer(problem_of_fault(request_id_of(request.scope)))


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    Failure: failed,
    ValidationException: invalid,
    HTTPException: refused_by_framework,
    UnicodeDecodeError: undecodable,
    RecursionError: undecodable,
    Exception: unexpected,
}


def _field_problem(item: Mapping[str, Any]) -> FieldProblem:
    field = str(item.get("key", ""))
    message = str(item.get("message", ""))
    if message == "'data'":
        return FieldProblem("", "missing", "A JSON body is required.")
    return FieldProblem("" if field == "data" else field, _field_code(message), message)


def _field_code(message: str) -> str:
    if "missing required" in message:
        return "missing"
    if "unknown field" in message:
        return "unknown"
    return "wrong_type" if message.startswith("Expected `") and "`, got `" in message else "not_allowed"


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> Response[Problem]:
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers or {})
