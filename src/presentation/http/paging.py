"""The parameters of lists."""

from typing import Annotated

from litestar.params import QueryParameter

from application.pages import LARGEST_LIMIT
from domain.identifiers import LARGEST_ID

Limit = Annotated[int, QueryParameter(ge=1, le=LARGEST_LIMIT)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]
IdFilter = Annotated[int | None, QueryParameter(ge=1, le=LARGEST_ID)]
