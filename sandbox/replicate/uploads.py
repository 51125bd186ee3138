"""Replicate's routes for files. https://replicate.com/docs/reference/http#files.create"""

from typing import Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from sandbox.replicate.account import Account
from sandbox.replicate.errors import error, invalid
from sandbox.replicate.seedream import InvalidField
from sandbox.wire import OPERATION

SIZE_LIMIT = 100 * 1024 * 1024
PAGE = 100


class FileController(Controller):
    path = "/v1/files"
    opt = {OPERATION: "files"}  # noqa: RUF012 - Litestar's own way to say it

    @post("/")
    async def upload(self, request: Request[Any, Any, Any], account: NamedDependency[Account]) -> Response[Any]:
        form = await request.form()
        content = form.get("content")
        if not isinstance(content, UploadFile):
            return invalid([InvalidField("required", "content", "content is required, as a file part")])
        data = await content.read()
        if len(data) > SIZE_LIMIT:
            return error(413, "The file is larger than 100 MB")
        try:
            metadata = msgspec.json.decode(str(form.get("metadata") or "{}"), type=dict[str, Any])
        except msgspec.DecodeError:
            return invalid([InvalidField("invalid", "metadata", "metadata must be a JSON object")])
        name = str(form.get("filename") or content.filename)
        if not 0 < len(name.encode()) <= 255:
            return invalid([InvalidField("length", "filename", "filename must be 1 to 255 bytes long")])
        kind = str(form.get("type") or content.content_type)
        return Response(await account.files.add(name, kind, data, metadata), status_code=201)

    @get("/")
    async def page(self, account: NamedDependency[Account]) -> dict[str, Any]:
        return {"previous": None, "next": None, "results": account.files.newest_first()[:PAGE]}

    @get("/{file_id:str}")
    async def read(self, file_id: FromPath[str], account: NamedDependency[Account]) -> Response[Any]:
        file = account.files.get(file_id)
        return error(404) if file is None else Response(file)

    @get("/{file_id:str}/download")
    async def download(self, file_id: FromPath[str], account: NamedDependency[Account]) -> Response[Any]:
        file, content = account.files.get(file_id), await account.files.shelf.get(file_id)
        if file is None or content is None:
            return error(404)
        return Response(content, media_type=file.content_type)

    @delete("/{file_id:str}")
    async def remove(self, file_id: FromPath[str], account: NamedDependency[Account]) -> None:
        if not account.files.remove(file_id):
            raise NotFoundException
