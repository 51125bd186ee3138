"""What can go wrong, by category.

The core raises a category with a stable `code`; each entry point turns categories into its own answer (an HTTP
status, an exit code), so no rule here knows either.

    Failure
    ├── Invalid           the request breaks a rule of form
    ├── Unauthenticated   who is asking is not known
    ├── Unpaid            not enough credits
    ├── Forbidden         known, and not allowed
    ├── NotFound          not there, or not yours: the same answer
    ├── Conflict          the state does not allow it now
    ├── TooLarge          more bytes than allowed
    ├── Unprocessable     well formed, and refused for what it means
    ├── Throttled         too many, try later
    └── Unavailable       something behind us does not answer
"""


class Failure(Exception):  # noqa: N818 - a category of outcome; the word Error adds nothing
    """A refusal with a stable code that clients may branch on."""

    def __init__(self, code: str, detail: str, *, field: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field
        self.retry_after = retry_after
        """Seconds after which trying again makes sense."""


class Invalid(Failure):
    pass


class Unauthenticated(Failure):
    pass


class Unpaid(Failure):
    pass


class Forbidden(Failure):
    pass


class NotFound(Failure):
    pass


class Conflict(Failure):
    pass


class TooLarge(Failure):
    pass


class Unprocessable(Failure):
    pass


class Throttled(Failure):
    pass


class Unavailable(Failure):
    pass
