"""Pictures kept on disk: read under addresses that expire, and put there by forms that expire."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Protocol

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from presentation.http.authentication import AnyRequest
from presentation.http.forms import LARGEST_FORM
from presentation.http.signed_forms import FORM_PATH, signed_file


class FormStorage(Protocol):
    """A storage whose forms point here."""

    def admit_form(self, fields: Mapping[str, str]) -> tuple[str, int]: ...

    async def put(self, key: str, data: bytes) -> None: ...


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


@post(
    FORM_PATH,
    status_code=204,
    operation_id="receiveFile",
    tags=["media"],
    request_max_body_size=LARGEST_FORM,
    include_in_schema=False,
)
async def receive_file(request: AnyRequest) -> None:
    """Store a file for whoever holds a form for it; nobody has to be signed in, as with a bucket."""
    storage: FormStorage = request.app.state.form_storage
    key, data = await signed_file(request, request.app.state.form_intake, storage.admit_form)
    await storage.put(key, data)
