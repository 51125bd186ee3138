"""Where pictures are kept is what the settings say, and nothing else is made."""

import pytest
from dishka.exceptions import NoFactoryError

from application.images.ports import PictureStorage
from bootstrap.container import create_container
from infrastructure.storage.disk import DiskStorage
from tests.unit.bootstrap.environments import load


async def test_a_service_with_a_folder_keeps_its_pictures_there() -> None:
    container = create_container(load(STORAGE="disk"))
    assert await container.get(PictureStorage)
    assert await container.get(DiskStorage)
    await container.close()


async def test_a_service_with_a_bucket_has_no_folder() -> None:
    container = create_container(load(STORAGE="s3", BUCKET_NAME="pictures"))
    assert await container.get(PictureStorage)
    with pytest.raises(NoFactoryError):
        await container.get(DiskStorage)
    await container.close()
