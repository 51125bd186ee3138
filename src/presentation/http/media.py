"""Pictures kept on disk, under addresses that expire."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from presentation.http.authentication import AnyRequest

ReadSigned = Callable[[str, str, str], Awaitable[bytes]]

_LIFE = "private, max-age=1800, immutable"
_TYPES = {"jpg": "image/jpeg", "png": "image/png"}


@get("/media/{key:path}", operation_id="getPicture", tags=["media"], include_in_schema=False)
async def read_picture(
    request: AnyRequest,
    key: FromPath[str],
    expires: Annotated[str, QueryParameter(max_length=20)] = "",
    signature: Annotated[str, QueryParameter(max_length=100)] = "",
) -> Response[bytes]:
    """Serve a picture to whoever holds its signed address."""
    read: ReadSigned = request.app.state.read_signed
    data = await read(key.lstrip("/"), expires, signature)
    media_type = _TYPES.get(key.rpartition(".")[2], "application/octet-stream")
    return Response(data, media_type=media_type, headers={"Cache-Control": _LIFE})
