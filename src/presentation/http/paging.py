"""The parameters of every list, and the ids of what is in it."""

from typing import Annotated

from litestar.params import QueryParameter

from application.pages import LARGEST_LIMIT

Limit = Annotated[int, QueryParameter(ge=1, le=LARGEST_LIMIT)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]
