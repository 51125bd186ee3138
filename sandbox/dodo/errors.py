"""How Dodo says no. https://docs.dodopayments.com/api-reference/error-codes

Which status goes with which code is not published: what stands here is the most natural guess.
"""

CODES = {
    400: "INVALID_REQUEST_PARAMETERS",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    422: "INVALID_REQUEST_BODY",
    429: "TOO_MANY_REQUESTS",
}
UNAUTHORIZED = "You are not authorised to perform this action"


class RefusedError(Exception):
    """The answer is an error: its status, code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def not_found(what: str) -> RefusedError:
    return RefusedError(404, "NOT_FOUND", f"{what} not found")


def error_body(status: int) -> dict[str, str]:
    return {"code": CODES.get(status, "INTERNAL_SERVER_ERROR"), "message": f"Scripted answer {status} of the sandbox"}
