"""Where pictures are kept: in a folder or in S3, whichever is configured."""

from collections.abc import AsyncIterator

from dishka import Provider, Scope, provide

from application.images.ports import PictureStorage
from bootstrap.settings import Settings
from infrastructure.storage.disk import DiskStorage


class Folder(Provider):
    """The API serves its pictures itself, and so asks for the folder by name."""

    scope = Scope.APP

    @provide
    def folder(self, settings: Settings) -> DiskStorage:
        secrets = [key for key in (settings.secret_key, settings.secret_key_previous) if key]
        return DiskStorage(settings.media_folder, public_url=settings.public_url, secrets=secrets)

    @provide
    def storage(self, folder: DiskStorage) -> PictureStorage:
        return folder


class Bucket(Provider):
    scope = Scope.APP

    @provide
    async def storage(self, settings: Settings) -> AsyncIterator[PictureStorage]:
        # Its libraries take a second to import, which only those who use them should wait for.
        from infrastructure.storage.s3 import S3Storage  # noqa: PLC0415

        async with S3Storage(
            bucket=settings.bucket_name,
            region=settings.aws_region,
            endpoint_url=settings.s3_endpoint_url or None,
            access_key_id=settings.aws_access_key_id or None,
            secret_access_key=settings.aws_secret_access_key or None,
            cdn_domain=settings.cdn_domain or None,
        ) as storage:
            yield storage


def storage_of(settings: Settings) -> Provider:
    return Folder() if settings.storage == "disk" else Bucket()
