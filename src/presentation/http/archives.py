"""ZIP archives as answers."""

from collections.abc import AsyncIterator

from litestar.response import Stream

from application.users.belongings import ExportedFile
from presentation.archives import zipped

MEDIA_TYPE = "application/zip"


def zip_download(files: AsyncIterator[ExportedFile], name: str) -> Stream:
    """Answer with an archive of these files, to be saved under this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Stream(zipped(files), media_type=MEDIA_TYPE, headers=headers)
